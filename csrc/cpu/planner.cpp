// What a call will cost on the CPU, from the plan that calls obey and a short measurement. Refuses to share
// anything with a backend: a plan is wanted while its calls run.
#include "cpu/planner.h"

#include <algorithm>
#include <chrono>

#include "core/plan.h"
#include "cpu/call_cost.h"
#include "cpu/isa_dispatch.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

namespace {

// One thread's rate on a tile whose operands are in cache.
double measure_gflops(const Kernels& k) {
  constexpr int64_t kDim = 256;
  Workspace w;
  const int64_t rows = k.tile.rows, columns = k.tile.columns;
  w.reset(static_cast<int64_t>(sizeof(float)) * (kDim * (rows + columns) + rows * columns) + 4096);
  TileOperands c{};
  float* keys = w.take(columns * kDim);
  float* queries = w.take(rows * kDim);
  float* x = w.take(rows * columns);
  c.column_panels = keys;
  c.transposed_rows = queries;
  c.column_panel_rows = columns;
  c.rows = rows;
  c.columns = columns;
  c.dim = kDim;
  double best = 1e30;
  for (int round = 0; round < 4; ++round) {
    const auto start = std::chrono::steady_clock::now();
    k.scores(c, {0, columns}, x, rows, nullptr);
    const std::chrono::duration<double> d = std::chrono::steady_clock::now() - start;
    best = std::min(best, d.count());
  }
  return 2e-9 * static_cast<double>(rows * columns * kDim) / best;
}

WorkspaceRequest workspace_request(const PlanRequest& r, const std::vector<Grid>& grids) {
  WorkspaceRequest w;
  w.dim = r.dim;
  w.gradient = r.gradient;
  w.threads = choose_threads(r.threads, call_flops(grids, r.dim, r.gradient, {}));
  w.bound = r.workspace_bytes;
  w.gradient_room = {r.rows, r.keys};
  w.fused = r.gradient && rows_stand_alone(r.objective);
  w.needs_row_sums = !r.objective.sigmoid();
  return w;
}

class CpuPlanner final : public Planner {
 public:
  explicit CpuPlanner(const std::string& isa) : wanted_isa_(isa) {}

  Plan plan(const PlanRequest& r) override {
    const Kernels& k = select_kernels(wanted_isa_, r.bfloat16);
    SimilarityShape similarities[Objective::kMaxSimilarities];
    for (int p = 0; p < r.objective.similarity_count; ++p)
      similarities[p] = shape_of(r.objective.similarities[p], r.rows, r.keys);
    const std::vector<Grid> grids = cut(similarities, r.objective.similarity_count, k.tile);
    const WorkspacePlan workspace = plan_workspace(workspace_request(r, grids), grids, k);
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
  // Measured when first asked for. Beside a running call the number is lower, as a second call's would be.
  double gflops(const Kernels& k) {
    if (measured_isa_ != &k) {
      measured_gflops_ = measure_gflops(k);
      measured_isa_ = &k;
    }
    return measured_gflops_;
  }

  const std::string wanted_isa_;
  double measured_gflops_ = 0;  // of one thread, with measured_isa_
  const Kernels* measured_isa_ = nullptr;
};

}  // namespace

std::unique_ptr<Planner> make_planner(const Settings& settings) {
  return std::make_unique<CpuPlanner>(settings.isa);
}

}  // namespace infcl::cpu
