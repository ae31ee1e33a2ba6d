// Tells what a call will cost on the CPU. The workspace plan is the one that calls obey; a short measurement
// gives the speed. Refuses to share state with a backend: users ask for a plan while calls run.
#include "cpu/planner.h"

#include <algorithm>
#include <chrono>

#include "core/plan.h"
#include "cpu/call_cost.h"
#include "cpu/isa_dispatch.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

namespace {

// The speed of one thread's scores kernel on a tile whose operands are in cache.
double measure_gflops(const Kernels& k) {
  constexpr int64_t kDim = 256;
  Workspace w;
  const int64_t rows = k.tile.rows, columns = k.tile.columns;
  w.reset(static_cast<int64_t>(sizeof(float)) * (kDim * (rows + columns) + rows * columns) + 4096);
  TileOperands tile{};
  tile.column_panels = w.take(columns * kDim);
  tile.transposed_rows = w.take(rows * kDim);
  float* scores = w.take(rows * columns);
  tile.column_panel_rows = columns;
  tile.rows = rows;
  tile.columns = columns;
  tile.dim = kDim;
  double best = 1e30;
  for (int round = 0; round < 4; ++round) {
    const auto start = std::chrono::steady_clock::now();
    k.scores(tile, {0, columns}, scores, rows, nullptr);
    const std::chrono::duration<double> d = std::chrono::steady_clock::now() - start;
    best = std::min(best, d.count());
  }
  return 2e-9 * static_cast<double>(rows * columns * kDim) / best;
}

WorkspaceRequest workspace_request(const PlanRequest& r, const std::vector<Grid>& grids,
                                   const std::string& default_threads) {
  WorkspaceRequest w;
  w.dim = r.dim;
  w.gradient = r.gradient;
  w.threads = choose_threads(r.threads, call_flops(grids, r.dim, r.gradient, {}), default_threads);
  w.bound = r.workspace_bytes;
  w.gradient_room = {r.rows, r.keys};
  w.fused = r.gradient && rows_stand_alone(r.objective);
  w.needs_row_sums = !r.objective.sigmoid();
  return w;
}

class CpuPlanner final : public Planner {
 public:
  explicit CpuPlanner(const Settings& s) : wanted_isa_(s.isa), default_threads_(s.threads) {}

  Plan plan(const PlanRequest& r) override {
    const Kernels& k = select_kernels(wanted_isa_, r.bfloat16);
    SimilarityShape similarities[Objective::kMaxSimilarities];
    for (int n = 0; n < r.objective.similarity_count; ++n)
      similarities[n] = shape_of(r.objective.similarities[n], r.rows, r.keys);
    const std::vector<Grid> grids = cut(similarities, r.objective.similarity_count, k.tile);
    const WorkspacePlan workspace = plan_workspace(workspace_request(r, grids, default_threads_), grids, k);
    Plan p;
    p.threads = workspace.threads;
    p.workspace_bytes = workspace.bytes;
    p.minimum_workspace_bytes = workspace.minimum_bytes;
    p.lse_bytes = workspace.lse_bytes;
    p.flops = call_flops(grids, r.dim, r.gradient, workspace);
    p.gflops_per_second = gflops(k) * workspace.threads;
    return p;
  }

 private:
  // Measured at the first request. A call that runs meanwhile lowers the number, as it would slow
  // a second call.
  double gflops(const Kernels& k) {
    if (measured_isa_ != &k) {
      measured_gflops_ = measure_gflops(k);
      measured_isa_ = &k;
    }
    return measured_gflops_;
  }

  const std::string wanted_isa_, default_threads_;
  double measured_gflops_ = 0;  // of one thread, with measured_isa_
  const Kernels* measured_isa_ = nullptr;
};

}  // namespace

std::unique_ptr<Planner> make_planner(const Settings& settings) {
  return std::make_unique<CpuPlanner>(settings);
}

}  // namespace infcl::cpu
