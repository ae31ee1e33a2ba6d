// How laps go round: row blocks are dealt to threads in turn, and each thread visits the cells of its blocks
// in order.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "cpu/backend.h"

namespace infcl {

void CpuBackend::go_round(Lap& lap) {
  const Schedule& s = schedule();
  pool_.run(layout_.threads, [&](int t) {
    for (int64_t i = t; i < s.row_blocks(); i += layout_.threads) {
      if (!lap.enter(t, i)) return lap.stop();
      for (int64_t j = s.first_column_block(i); j < s.column_blocks(); ++j)
        if (!lap.cell(t, i, j)) return lap.stop();
    }
  });
  throw_if_stopped();
  lap.finish();
}

void CpuBackend::fold(FoldArgs& args) { go_round(*fold_lap(args)); }

DifferentiateResult CpuBackend::differentiate(const DifferentiateArgs& args) {
  DifferentiateResult out;
  go_round(*differentiate_lap(args, out));
  return out;
}

// A thread folds a block of rows and differentiates it at once. A sigmoid's cells need no sums, so each is
// differentiated while its logits are near.
DifferentiateResult CpuBackend::fold_and_differentiate(FoldArgs& f, const DifferentiateArgs& d,
                                                       const std::function<void(Range)>& close) {
  using Clock = std::chrono::steady_clock;
  DifferentiateResult out;
  const std::unique_ptr<Lap> fold = fold_lap(f), differentiate = differentiate_lap(d, out);
  const Schedule& s = schedule();
  const int64_t step = problem_.sigmoid ? 1 : s.column_blocks();
  const size_t threads = static_cast<size_t>(layout_.threads);
  std::vector<Clock::duration> forward(threads), all(threads);
  const auto row_block = [&](int t, int64_t i) {
    if (!fold->enter(t, i) || !differentiate->enter(t, i)) return false;
    for (int64_t j0 = 0; j0 < s.column_blocks(); j0 += step) {
      const auto start = Clock::now();
      for (int64_t j = j0; j < j0 + step; ++j)
        if (!fold->cell(t, i, j)) return false;
      if (!problem_.sigmoid || has_positive(cell(i, j0, nullptr, 0), f.positives)) close(s.rows(i));
      forward[t] += Clock::now() - start;
      for (int64_t j = j0; j < j0 + step; ++j)
        if (!differentiate->cell(t, i, j)) return false;
    }
    return true;
  };
  together_ = true;
  pool_.run(layout_.threads, [&](int t) {
    const auto start = Clock::now();
    for (int64_t i = t; i < s.row_blocks(); i += layout_.threads)
      if (!row_block(t, i)) return differentiate->stop();
    all[t] = Clock::now() - start;
  });
  together_ = false;
  throw_if_stopped();
  fold->finish();
  differentiate->finish();
  const auto sum = [](const std::vector<Clock::duration>& times) {
    return std::chrono::duration<double>(std::accumulate(times.begin(), times.end(), Clock::duration(0)))
        .count();
  };
  stats_.forward_share = sum(forward) / std::max(sum(all), 1e-9);
  return out;
}

}  // namespace infcl
