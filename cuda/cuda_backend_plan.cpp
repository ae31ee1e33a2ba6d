// What a call will cost on this device, from the planner that calls obey and a short measurement.
#include <algorithm>
#include <chrono>

#include "cuda/cuda_backend.h"

namespace infcl::cuda {

Plan CudaBackend::plan(const PlanRequest& r) {
  const DeviceContext::Scope current(context_);
  WorkspaceRequest w;
  double pairs = 0;
  for (int p = 0; p < r.objective.pass_count; ++p) {
    const PassShape pass = shape_of(r.objective.passes[p], r.rows, r.keys);
    w.passes.push_back(pass);
    pairs += static_cast<double>(pass.rows) * static_cast<double>(pass.columns) / (pass.triangle ? 2 : 1);
  }
  w.matrices = {r.rows};
  if (r.keys > 0) w.matrices.push_back(r.keys);
  if (r.gradient) w.gradients = w.matrices;
  w.dim = r.dim;
  w.planes = r.bfloat16 || r.dtype == DType::kFloat16 ? 1 : 2;
  w.gradient = r.gradient;
  w.bound = r.workspace_bytes;
  const WorkspacePlan workspace =
      plan_workspace(w, {traits_.multiprocessors, traits_.l2_bytes, available_memory().free});
  if (measured_gflops_ == 0) measured_gflops_ = measure_gflops();
  Plan p;
  p.flops = 2 * pairs * static_cast<double>(r.dim) * (r.gradient ? 4 : 1);
  p.workspace_bytes = workspace.total;
  p.minimum_workspace_bytes = workspace.minimum;
  p.lse_bytes = workspace.vectors;
  p.shards = workspace.shard_count;
  p.gflops_per_second = measured_gflops_;
  return p;
}

// Of the logits of float32 features, four tiles to a multiprocessor.
double CudaBackend::measure_gflops() {
  constexpr int64_t kRows = 4 * kTile, kDim = 256;
  const int64_t columns = kTile * traits_.multiprocessors, row_tiles = kRows / kTile,
                column_tiles = columns / kTile;
  const DeviceBuffer features((kRows + columns) * kDim * static_cast<int64_t>(sizeof(uint16_t)));
  const DeviceBuffer row_partials(column_tiles * kRows * static_cast<int64_t>(sizeof(Partial)));
  const DeviceBuffer column_partials(row_tiles * columns * static_cast<int64_t>(sizeof(Partial)));
  const DeviceBuffer tile_sums(row_tiles * column_tiles * static_cast<int64_t>(sizeof(TileSums)));
  const Stream& stream = machine_->stream;
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
    machine_->kernels.scores_forward(stream, Precision::kBFloat16x3, false, f);
    stream.synchronise();
    const std::chrono::duration<double> d = std::chrono::steady_clock::now() - start;
    best = std::min(best, d.count());
  }
  return 2e-9 * static_cast<double>(kRows * columns * kDim) / best;
}

}  // namespace infcl::cuda
