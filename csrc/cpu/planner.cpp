// Tells what a call will cost on the CPU. The workspace plan is the one that calls obey; a short
// measurement gives the times of the kernels. Refuses to share state with a backend: users ask for a plan
// while calls run.
#include "cpu/planner.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/plan.h"
#include "cpu/call_cost.h"
#include "cpu/call_time.h"
#include "cpu/isa_dispatch.h"
#include "cpu/kernel_times.h"
#include "cpu/usable_threads.h"

namespace infcl::cpu {

namespace {

WorkspaceRequest workspace_request(const PlanRequest& r, const std::vector<Grid>& grids,
                                   const std::string& default_threads) {
  WorkspaceRequest w;
  w.dim = r.dim;
  w.gradient = r.gradient;
  w.auxiliary_dims[static_cast<size_t>(Auxiliary::kGuide)] = r.guide_dim;
  w.auxiliary_dims[static_cast<size_t>(Auxiliary::kTeacher)] = r.teacher_dim;
  // as the backend counts them for this choice
  const double flops =
      call_flops(grids, r.dim, r.gradient, {}) + call_flops(grids, total_dim(w.auxiliary_dims), false, {});
  w.threads = choose_threads(r.threads, flops, default_threads);
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
    p.flops = call_flops(grids, r.dim, r.gradient, workspace) +
              auxiliary_flops(grids, workspace.auxiliary_dims, r.gradient, workspace);
    const int running = std::min(workspace.threads, usable_threads());
    p.seconds = call_seconds({r.objective, r.rows, r.keys, r.dim, r.gradient, grids}, workspace, running, k,
                             times(k, running));
    return p;
  }

 private:
  // Measured at the first request for so many threads. A call that runs meanwhile raises the times, as it
  // would slow a second call.
  const KernelTimes& times(const Kernels& k, int threads) {
    const auto found = measured_.find({&k, threads});
    if (found != measured_.end()) return found->second;
    return measured_.emplace(std::pair{&k, threads}, measure_kernel_times(k, threads)).first->second;
  }

  const std::string wanted_isa_, default_threads_;
  std::map<std::pair<const Kernels*, int>, KernelTimes> measured_;
};

}  // namespace

std::unique_ptr<Planner> make_planner(const Settings& settings) {
  return std::make_unique<CpuPlanner>(settings);
}

}  // namespace infcl::cpu
