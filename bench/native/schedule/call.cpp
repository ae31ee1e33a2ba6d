// The phases of a call, one after another.
#include "call.h"

#include <algorithm>
#include <vector>

#include "cpu/call_cost.h"
#include "cpu/plan.h"

namespace schedule {

namespace {

using infcl::Grid;
using infcl::Objective;
using infcl::Range;
using infcl::cpu::GradientSlices;
using infcl::cpu::Kernels;
using infcl::cpu::TileStep;
using infcl::cpu::WorkspacePlan;

class CallSimulation {
 public:
  CallSimulation(const Call& call, const Costs& costs, const Kernels& kernels)
      : call_(call),
        c_(costs),
        kernels_(kernels),
        objective_(infcl::make_objective(call.kind)),
        fused_(infcl::rows_stand_alone(objective_)) {
    infcl::SimilarityShape shapes[Objective::kMaxSimilarities];
    for (int n = 0; n < objective_.similarity_count; ++n)
      shapes[n] = infcl::shape_of(objective_.similarities[n], call.rows, call.rows);
    grids_ = infcl::cpu::cut(shapes, objective_.similarity_count, kernels.tile);
    infcl::cpu::WorkspaceRequest r;
    r.dim = call.dim;
    r.threads = call.threads;
    r.bound = call.workspace;
    r.gradient_room = {call.rows, call.rows};
    r.fused = fused_;
    r.needs_row_sums = !objective_.sigmoid();
    plan_ = infcl::cpu::plan_workspace(r, grids_, kernels);
    slices_ = GradientSlices(call.dim, kernels.panel, plan_.threads);
  }

  Times run() {
    const double rows = static_cast<double>(call_.rows);
    for (int side : {0, 1}) {
      (void)side;
      parallel(rows * c_.find_not_finite);
    }
    if (fused_) {
      sweep(0, true, true);
      serial(rows * c_.finish);
      return sum_;
    }
    for (int n = 0; n < objective_.similarity_count; ++n) sweep(n, true, false);
    serial(rows * (c_.close + c_.finish));
    for (int n = 0; n < objective_.similarity_count; ++n) sweep(n, false, true);
    return sum_;
  }

 private:
  void serial(double seconds) {
    sum_.wall += seconds;
    sum_.work += seconds;
    sum_.critical += seconds;
  }

  // Work that splits into equal parts for all threads.
  void parallel(double seconds) {
    sum_.wall += seconds / plan_.threads + barrier();
    sum_.work += seconds;
  }

  double barrier() const { return plan_.threads > 1 ? c_.barrier : 0; }

  // As CpuBackend::load deals tile columns to threads.
  void pack_columns(const Grid& grid) {
    std::vector<double> busy(static_cast<size_t>(plan_.threads));
    double longest = 0;
    for (int64_t j = 0; j < std::min(plan_.packed_tile_columns, grid.tile_columns()); ++j) {
      const double seconds = static_cast<double>(grid.columns(j).size()) * c_.pack_panels;
      busy[static_cast<size_t>(j % plan_.threads)] += seconds;
      sum_.work += seconds;
      longest = std::max(longest, seconds);
    }
    sum_.wall += *std::max_element(busy.begin(), busy.end()) + barrier();
    sum_.critical += longest;
  }

  void sweep(int similarity, bool folds, bool differentiates) {
    const Grid& grid = grids_[static_cast<size_t>(similarity)];
    pack_columns(grid);
    Sweep s{grid, plan_.threads, false, {}, {}, 0};
    s.two_parts = folds && differentiates && !objective_.sigmoid();
    s.pack_rows = [&](int64_t i) {
      return static_cast<double>(grid.rows(i).size()) *
             (c_.pack_transposed + (differentiates ? c_.pack_values : 0));
    };
    s.close_row = s.two_parts ? static_cast<double>(grid.max_rows()) * c_.close : 0;
    s.parts = [&](const TileStep& step) {
      Parts p;
      if (folds && step.part != TileStep::kDifferentiate)
        p.part[p.count++] = fold(similarity, step.tile_row, step.tile_column);
      if (differentiates && step.part != TileStep::kFold)
        p.part[p.count++] = differentiate(similarity, step.tile_row, step.tile_column);
      return p;
    };
    const Times t = simulate(s);
    sum_.wall += t.wall + barrier();
    sum_.work += t.work;
    sum_.critical += t.critical;
  }

  // Tile columns that do not stay packed are packed at each visit.
  double pack_again(const Grid& grid, int64_t j) const {
    return j < plan_.packed_tile_columns ? 0 : static_cast<double>(grid.columns(j).size()) * c_.pack_panels;
  }

  Part fold(int similarity, int64_t i, int64_t j) const {
    const Grid& grid = grids_[static_cast<size_t>(similarity)];
    const double rows = static_cast<double>(grid.rows(i).size()),
                 columns = static_cast<double>(grid.columns(j).size());
    Part p;
    p.compute = rows * columns * (c_.scores + c_.fold) + pack_again(grid, j);
    p.row_slices = 1;
    p.row_piece = rows * c_.merge;
    const bool sums_columns = objective_.similarities[similarity].column_normaliser != infcl::kNone;
    p.column_slices = sums_columns && !(grid.triangle() && i == j) ? 1 : 0;
    p.column_piece = columns * c_.merge;
    return p;
  }

  Part differentiate(int similarity, int64_t i, int64_t j) const {
    const Grid& grid = grids_[static_cast<size_t>(similarity)];
    const double pairs = static_cast<double>(grid.rows(i).size() * grid.columns(j).size());
    const bool kept = fused_ ? j < plan_.kept_columns : plan_.kept.holds(grids_, {similarity, i, j});
    Part p;
    p.gradients = true;
    p.compute = pairs * (kept ? c_.logit_grad_kept : c_.logit_grad) + pack_again(grid, j);
    p.row_slices = slices_.count();
    p.column_slices = grid.triangle() && i == j ? 0 : slices_.count();
    p.row_piece = pairs * c_.row_gradient / slices_.count();
    p.column_piece = pairs * c_.column_gradient / slices_.count();
    return p;
  }

  const Call& call_;
  const Costs& c_;
  const Kernels& kernels_;
  const Objective objective_;
  const bool fused_;
  std::vector<Grid> grids_;
  WorkspacePlan plan_;
  GradientSlices slices_;
  Times sum_;
};

}  // namespace

Times simulate(const Call& call, const Costs& costs, const Kernels& kernels) {
  return CallSimulation(call, costs, kernels).run();
}

}  // namespace schedule
