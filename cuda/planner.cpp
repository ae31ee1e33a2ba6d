// Foretells the cost of a call on this device, from the plan that calls obey and a short measurement.
#include "cuda/planner.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include "cuda/driver/device.h"
#include "cuda/driver/memory.h"
#include "cuda/driver/memory_cache.h"
#include "cuda/launcher.h"
#include "cuda/plan.h"

namespace infcl::cuda {

namespace {

// The speed of the scores of float32 features, with four tiles to a multiprocessor.
double measure_gflops(const DeviceTraits& traits, const std::string& path) {
  const Kernels kernels(traits.capability, path);
  const Stream stream;
  constexpr int64_t kRows = 4 * kTile, kDim = 256;
  const int64_t columns = kTile * traits.multiprocessors, row_tiles = kRows / kTile,
                column_tiles = columns / kTile;
  const DeviceBuffer features((kRows + columns) * kDim * static_cast<int64_t>(sizeof(uint16_t)));
  const DeviceBuffer row_partials(column_tiles * kRows * static_cast<int64_t>(sizeof(Partial)));
  const DeviceBuffer column_partials(row_tiles * columns * static_cast<int64_t>(sizeof(Partial)));
  const DeviceBuffer tile_sums(row_tiles * column_tiles * static_cast<int64_t>(sizeof(TileSums)));
  stream.clear(features.as<void>(), features.bytes());
  ForwardArgs f{};
  f.scores.rows = {features.as<uint16_t>(), features.as<uint16_t>()};
  f.scores.columns = {features.as<uint16_t>() + kRows * kDim, features.as<uint16_t>() + kRows * kDim};
  f.scores.padded_dim = kDim;
  f.scores.row_count = kRows;
  f.scores.column_count = static_cast<int32_t>(columns);
  f.row_partials = row_partials.as<Partial>();
  f.column_partials = column_partials.as<Partial>();
  f.tile_sums = tile_sums.as<TileSums>();
  double best = 1e30;
  for (int round = 0; round < 3; ++round) {
    stream.synchronise();
    const auto start = std::chrono::steady_clock::now();
    kernels.scores_forward(stream, Precision::kTwoPlanes, false, f);
    stream.synchronise();
    const std::chrono::duration<double> d = std::chrono::steady_clock::now() - start;
    best = std::min(best, d.count());
  }
  return 2e-9 * static_cast<double>(kRows * columns * kDim) / best;
}

WorkspaceRequest workspace_request(const PlanRequest& r) {
  WorkspaceRequest w;
  for (int p = 0; p < r.objective.similarity_count; ++p)
    w.similarities.push_back(shape_of(r.objective.similarities[p], r.rows, r.keys));
  w.matrices = {r.rows};
  if (r.keys > 0) w.matrices.push_back(r.keys);
  if (r.gradient) w.gradients = w.matrices;
  w.dim = r.dim;
  w.planes = r.bfloat16 || r.dtype == DType::kFloat16 ? 1 : 2;
  w.gradient = r.gradient;
  w.bound = r.workspace_bytes;
  return w;
}

double call_flops(const WorkspaceRequest& w) {
  double pairs = 0;
  for (const SimilarityShape& similarity : w.similarities) pairs += pair_count(similarity);
  return 2 * pairs * static_cast<double>(w.dim) * (w.gradient ? 4 : 1);
}

class CudaPlanner final : public Planner {
 public:
  CudaPlanner(int device, const std::string& path)
      : device_(device), path_(path), context_(device), traits_(device_traits(device)) {}

  Plan plan(const PlanRequest& r) override {
    const DeviceContext::Scope current(context_);
    const WorkspaceRequest w = workspace_request(r);
    const WorkspacePlan workspace =
        plan_workspace(w, {traits_.multiprocessors, traits_.l2_bytes, MemoryCache::available(device_).free});
    Plan p;
    p.flops = call_flops(w);
    p.workspace_bytes = workspace.total;
    p.minimum_workspace_bytes = workspace.minimum;
    p.lse_bytes = workspace.vectors;
    p.slabs = workspace.slab_count;
    p.seconds = p.flops / (1e9 * gflops());
    return p;
  }

 private:
  // Measured once in the process, since the measurement loads kernels and unloads them again. Beside a
  // running call the number is lower, as for a second call.
  double gflops() const {
    static std::mutex mutex;
    static std::map<std::pair<int, std::string>, double> measured;
    const std::lock_guard<std::mutex> lock(mutex);
    double& found = measured[{device_, path_}];
    if (found == 0) found = measure_gflops(traits_, path_);
    return found;
  }

  const int device_;
  const std::string path_;
  DeviceContext context_;
  const DeviceTraits traits_;
};

}  // namespace

std::unique_ptr<Planner> make_planner(int device, const std::string& path) {
  return std::make_unique<CudaPlanner>(device, path);
}

}  // namespace infcl::cuda
