// The order in which passes visit tiles: tile rows are dealt to threads in turn, and each thread visits the
// tiles of its tile rows in order.
#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <vector>

#include "cpu/backend.h"

namespace infcl::cpu {

void CpuBackend::traverse(Pass& pass) {
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

void CpuBackend::fold(FoldArgs& args) {
  load(args.similarity);
  traverse(*fold_pass(args));
}

DifferentiateResult CpuBackend::differentiate(const DifferentiateArgs& args) {
  load(args.similarity);
  DifferentiateResult out;
  traverse(*differentiate_pass(args, out));
  return out;
}

// A thread folds a tile row and differentiates it at once. Where gradients need no sums of the row, each tile
// is differentiated while its scores are near.
DifferentiateResult CpuBackend::fold_and_differentiate(FusedArgs& args) {
  using Clock = std::chrono::steady_clock;
  load(args.fold.similarity);
  DifferentiateResult out;
  const std::unique_ptr<Pass> fold = fold_pass(args.fold),
                              differentiate = differentiate_pass(args.differentiate, out);
  const Grid& s = grid();
  const bool needs_row_sums = args.fold.rows != nullptr;
  const int64_t step = needs_row_sums ? s.tile_columns() : 1;
  const size_t threads = static_cast<size_t>(plan_.threads);
  std::vector<Clock::duration> forward(threads), all(threads);
  const auto tile_row = [&](int t, int64_t i) {
    if (!fold->enter(t, i) || !differentiate->enter(t, i)) return false;
    for (int64_t j0 = 0; j0 < s.tile_columns(); j0 += step) {
      const auto start = Clock::now();
      for (int64_t j = j0; j < j0 + step; ++j)
        if (!fold->tile(t, i, j)) return false;
      if (needs_row_sums || has_positive(place(i, j0), args.fold.positives)) args.close(s.rows(i));
      forward[t] += Clock::now() - start;
      for (int64_t j = j0; j < j0 + step; ++j)
        if (!differentiate->tile(t, i, j)) return false;
    }
    return true;
  };
  in_fused_pass_ = true;
  pool_.run(plan_.threads, [&](int t) {
    const auto start = Clock::now();
    for (int64_t i = t; i < s.tile_rows(); i += plan_.threads)
      if (!tile_row(t, i)) return differentiate->stop();
    all[t] = Clock::now() - start;
  });
  in_fused_pass_ = false;
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
