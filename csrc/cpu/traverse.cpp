// How passes go round: tile rows are dealt to threads in turn, and each thread visits the tiles of its blocks
// in order.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "cpu/backend.h"

namespace infcl::cpu {

void CpuBackend::go_round(Pass& pass) {
  const Grid& s = grid();
  pool_.run(plan_.threads, [&](int t) {
    for (int64_t i = t; i < s.tile_rows(); i += plan_.threads) {
      if (!pass.enter(t, i)) return pass.stop();
      for (int64_t j = s.first_tile_column(i); j < s.tile_columns(); ++j)
        if (!pass.tile(t, i, j)) return pass.stop();
    }
  });
  throw_if_stopped();
  pass.finish();
}

void CpuBackend::fold(FoldArgs& args) { go_round(*fold_pass(args)); }

DifferentiateResult CpuBackend::differentiate(const DifferentiateArgs& args) {
  DifferentiateResult out;
  go_round(*differentiate_pass(args, out));
  return out;
}

// A thread folds a tile row and differentiates it at once. A sigmoid's tiles need no sums, so each is
// differentiated while its logits are near.
DifferentiateResult CpuBackend::fold_and_differentiate(FoldArgs& f, const DifferentiateArgs& d,
                                                       const std::function<void(Range)>& close) {
  using Clock = std::chrono::steady_clock;
  DifferentiateResult out;
  const std::unique_ptr<Pass> fold = fold_pass(f), differentiate = differentiate_pass(d, out);
  const Grid& s = grid();
  const int64_t step = problem_.sigmoid ? 1 : s.tile_columns();
  const size_t threads = static_cast<size_t>(plan_.threads);
  std::vector<Clock::duration> forward(threads), all(threads);
  const auto tile_row = [&](int t, int64_t i) {
    if (!fold->enter(t, i) || !differentiate->enter(t, i)) return false;
    for (int64_t j0 = 0; j0 < s.tile_columns(); j0 += step) {
      const auto start = Clock::now();
      for (int64_t j = j0; j < j0 + step; ++j)
        if (!fold->tile(t, i, j)) return false;
      if (!problem_.sigmoid || has_positive(tile(i, j0, nullptr, 0), f.positives)) close(s.rows(i));
      forward[t] += Clock::now() - start;
      for (int64_t j = j0; j < j0 + step; ++j)
        if (!differentiate->tile(t, i, j)) return false;
    }
    return true;
  };
  fused_ = true;
  pool_.run(plan_.threads, [&](int t) {
    const auto start = Clock::now();
    for (int64_t i = t; i < s.tile_rows(); i += plan_.threads)
      if (!tile_row(t, i)) return differentiate->stop();
    all[t] = Clock::now() - start;
  });
  fused_ = false;
  throw_if_stopped();
  fold->finish();
  differentiate->finish();
  const auto sum = [](const std::vector<Clock::duration>& times) {
    return std::chrono::duration<double>(std::accumulate(times.begin(), times.end(), Clock::duration(0)))
        .count();
  };
  stats_.forward_fraction = sum(forward) / std::max(sum(all), 1e-9);
  return out;
}

}  // namespace infcl::cpu
