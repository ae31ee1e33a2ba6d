// Passes over the tiles of a similarity: threads take tile after tile from the order of tile_order.h.
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "cpu/backend.h"
#include "cpu/tile_order.h"

namespace infcl::cpu {

// One sweep over all tiles. Packs the rows of a tile row before the first work on one of its tiles.
class CpuBackend::Traversal {
 public:
  Traversal(CpuBackend& backend, bool two_parts, bool row_values)
      : b_(backend),
        row_values_(row_values),
        window_(row_window(backend.grid(), backend.plan_.threads)),
        order_(backend.grid(), window_, two_parts),
        packed_(backend.row_memory_.size()) {
    for (std::atomic<int64_t>& tile_row : packed_) tile_row.store(-1, std::memory_order_relaxed);
  }

  // Calls visit(thread, step) for each step, and close(tile_row) where order.finish asks for it. `visit`
  // returns false where the call was stopped. Throws Error (kAborted).
  template <class Visit, class Close>
  void run(Visit visit, Close close) {
    b_.halted_.store(false, std::memory_order_relaxed);
    b_.pool_.run(b_.plan_.threads, [&](int t) {
      if (!work(t, visit, close)) b_.halted_.store(true, std::memory_order_relaxed);
    });
    b_.throw_if_stopped();
  }

 private:
  template <class Visit, class Close>
  bool work(int t, Visit& visit, Close& close) {
    TileStep step;
    for (;;) {
      TileOrder::Answer answer{};
      if (!b_.wait_until([&] { return (answer = next(&step)) != TileOrder::Answer::kWait; })) return false;
      if (answer == TileOrder::Answer::kDone) return true;
      if (!prepare(step) || !visit(t, step)) return false;
      if (finish(step)) {
        close(step.tile_row);
        const std::lock_guard<std::mutex> lock(mutex_);
        order_.close(step.tile_row);
      }
    }
  }

  TileOrder::Answer next(TileStep* step) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return order_.next(step->tile_row, step);
  }
  bool finish(const TileStep& step) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return order_.finish(step);
  }

  // The rows of the step's tile row are packed when this returns. False: the call was stopped.
  bool prepare(const TileStep& step) {
    std::atomic<int64_t>& packed = packed_[static_cast<size_t>(step.tile_row) % packed_.size()];
    if (!step.first)
      return b_.wait_until([&] { return packed.load(std::memory_order_acquire) == step.tile_row; });
    b_.pack_rows(step.tile_row, row_values_);
    packed.store(step.tile_row, std::memory_order_release);
    return true;
  }

  CpuBackend& b_;
  const bool row_values_;
  const RowWindow window_;
  std::mutex mutex_;  // of the order
  TileOrder order_;
  std::vector<std::atomic<int64_t>> packed_;  // the tile row in each slot
};

void CpuBackend::traverse(Pass& pass) {
  Traversal(*this, false, pass.needs_row_values())
      .run([&](int t, const TileStep& step) { return pass.tile(t, step.tile_row, step.tile_column); },
           [](int64_t) {});
  pass.finish();
}

bool CpuBackend::make_scores(const TileOperands& c, const Tile& x, float* row_max) const {
  return in_slices({0, c.columns}, kernels_->strip, 2 * c.rows * c.dim,
                   [&](Range columns) { kernels_->scores(c, columns, x.data, x.stride, row_max); });
}

void CpuBackend::count_tiles() {
  const Grid& s = grid();
  const int64_t dim = problem_.dim + total_dim(plan_.auxiliary_dims);
  stats_.tiles += s.tiles();
  for (int64_t i = 0; i < s.tile_rows(); ++i)
    for (int64_t j = s.first_tile_column(i); j < s.tile_columns(); ++j)
      stats_.flops += 2. * s.rows(i).size() * s.columns(j).size() * dim;
}

void CpuBackend::fold(FoldArgs& args) {
  load(args.similarity, args.visit);
  traverse(*fold_pass(args));
}

DifferentiateResult CpuBackend::differentiate(const DifferentiateArgs& args) {
  load(args.similarity, args.visit);
  DifferentiateResult out;
  traverse(*differentiate_pass(args, out));
  return out;
}

namespace {

// How long the parts of a fused pass took, each thread for itself.
class PartTimes {
 public:
  using Clock = std::chrono::steady_clock;

  explicit PartTimes(int threads) : forward_(static_cast<size_t>(threads)), all_(forward_) {}
  void add(int thread, Clock::duration forward, Clock::duration all) {
    forward_[static_cast<size_t>(thread)] += forward;
    all_[static_cast<size_t>(thread)] += all;
  }
  double forward_fraction() const { return sum(forward_) / std::max(sum(all_), 1e-9); }

 private:
  static double sum(const std::vector<Clock::duration>& times) {
    return std::chrono::duration<double>(std::accumulate(times.begin(), times.end(), Clock::duration(0)))
        .count();
  }
  std::vector<Clock::duration> forward_, all_;
};

}  // namespace

// Folds a tile row, and differentiates it as soon as the engine has closed its sums. Where gradients need no
// sums of the row, each tile is differentiated while its scores are near.
DifferentiateResult CpuBackend::fold_and_differentiate(FusedArgs& args) {
  using Clock = PartTimes::Clock;
  load(args.fold.similarity);
  DifferentiateResult out;
  const std::unique_ptr<Pass> fold = fold_pass(args.fold),
                              differentiate = differentiate_pass(args.differentiate, out);
  PartTimes times(plan_.threads);
  const auto close_positives = [&](const TilePlace& tile) {
    for_each_positive(tile, args.fold.positives, [&](int64_t row, int64_t, int64_t) {
      args.close({row, row + 1});
    });
  };
  const auto visit = [&](int t, const TileStep& step) {
    const int64_t i = step.tile_row, j = step.tile_column;
    const auto start = Clock::now();
    if (step.part != TileStep::kDifferentiate && !fold->tile(t, i, j)) return false;
    if (step.part == TileStep::kTile) close_positives(place(i, j));
    const auto folded = step.part == TileStep::kDifferentiate ? start : Clock::now();
    if (step.part != TileStep::kFold && !differentiate->tile(t, i, j)) return false;
    times.add(t, folded - start, Clock::now() - start);
    return true;
  };
  const bool needs_row_sums = args.fold.rows != nullptr;
  in_fused_pass_ = true;
  Traversal(*this, needs_row_sums, differentiate->needs_row_values()).run(visit, [&](int64_t tile_row) {
    args.close(grid().rows(tile_row));
  });
  in_fused_pass_ = false;
  fold->finish();
  differentiate->finish();
  stats_.forward_fraction = times.forward_fraction();
  return out;
}

}  // namespace infcl::cpu
