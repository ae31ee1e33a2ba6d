#include "cuda/backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "core/errors.h"
#include "core/lse.h"
#include "cuda/operands/resident_store.h"
#include "cuda/operands/slab_store.h"

namespace infcl::cuda {

namespace {

// float16 keeps its own form as long as all features are float16. Two planes of bfloat16 hold any of the
// three types.
Precision choose_precision(const Problem& p) {
  if (p.bfloat16) return Precision::kBFloat16;
  for (const ProblemMatrix& m : p.matrices)
    if (m.view.rows > 0 && m.view.dtype != DType::kFloat16) return Precision::kTwoPlanes;
  return Precision::kFloat16;
}

}  // namespace

CudaBackend::CudaBackend(int device, const std::string& path)
    : device_(device), context_(device), traits_(device_traits(device)) {
  const DeviceContext::Scope current(context_);
  machine_ = std::make_unique<Machine>(device, context_, traits_.capability, path);
}

CudaBackend::~CudaBackend() {
  end();
  const DeviceContext::Scope current(context_);
  machine_.reset();
}

WorkspacePlan CudaBackend::plan_call(const Problem& p) const {
  WorkspaceRequest r;
  for (int i = 0; i < p.similarity_count; ++i) r.similarities.push_back(p.similarities[i].shape);
  for (const MatrixView& m : Matrices(p).views) r.matrices.push_back(m.rows);
  for (const ProblemMatrix& m : p.matrices)
    if (m.gradient) r.gradients.push_back(m.gradient_rows);
  r.dim = p.dim;
  r.pairs = p.matrix(Operand::kHardNegatives).view.rows;
  r.planes = planes_of(choose_precision(p));
  r.gradient = p.gradient;
  r.bound = p.workspace_bytes;
  const MemoryInfo memory = MemoryCache::available(device_);
  const WorkspacePlan plan = plan_workspace(r, {traits_.multiprocessors, traits_.l2_bytes, memory.free});
  if (r.bound > 0 && plan.minimum > r.bound)
    throw Error(ErrorCode::kWorkspace, "workspace",
                "Expected at least " + std::to_string(plan.minimum) + " for workspaceBytes but received " +
                    std::to_string(r.bound));
  if (plan.minimum > memory.free)
    throw Error(ErrorCode::kOutOfMemory, "cuda",
                "this call needs " + std::to_string(plan.minimum) + " bytes of the device: " +
                    std::to_string(memory.free) + " of its " + std::to_string(memory.total) + " are free");
  return plan;
}

BeginResult CudaBackend::begin(const Problem& problem) {
  const DeviceContext::Scope current(context_);
  call_ = std::make_unique<Call>(problem);
  Call& c = *call_;
  c.precision = choose_precision(problem);
  c.scale = log2_scale(problem.logit_scale);
  // base 2 for both: softplus(x) = ln 2 * log2(1 + 2^x2)
  c.bias = static_cast<float>(problem.logit_bias * kLog2E);
  c.plan = plan_call(problem);
  // Work of others on features and gradients comes first.
  visit_other_streams([&](api::Stream other) {
    machine_->order.record(other);
    machine_->order.make_wait(machine_->stream.get());
    if (c.plan.slabs.rows > 0) machine_->order.make_wait(machine_->copies.get());
  });
  claim(c.plan);
  c.has_begun = true;
  c.stats.isa = machine_->kernels.instruction_set() + " " + traits_.name;
  c.stats.workspace_bytes = c.plan.total;
  c.stats.slabs = c.plan.slab_count;
  BeginResult out;
  for (int i = 0; i < problem.similarity_count; ++i)
    out.steps += count_macro_blocks(problem.similarities[i].shape, c.plan);
  return out;
}

void CudaBackend::claim(const WorkspacePlan& p) {
  Call& c = *call_;
  Machine& m = *machine_;
  const bool slabs = p.slabs.rows > 0, two = p.planes == 2;
  MemoryCache* const cache = &m.cache;
  m.cache.expect(p.total);
  m.staging.reserve(p.staging);
  c.copies = std::make_unique<FeatureCopies>(slabs ? m.copies : m.stream, m.staging, m.kernels, cache,
                                             c.problem, c.precision, p);
  if (slabs)
    c.store = std::make_unique<SlabStore>(*c.copies, m.copies, m.stream, cache, p, c.problem);
  else
    c.store = std::make_unique<ResidentStore>(*c.copies, cache, p, c.problem);
  c.vectors = std::make_unique<PassVectors>(m.stream, m.staging, cache, p.vectors);
  c.row_partials = DeviceBuffer(p.row_partials, cache);
  c.column_partials = DeviceBuffer(p.column_partials, cache);
  c.tile_sums = DeviceBuffer(p.tile_sums, cache);
  c.g_high = DeviceBuffer(p.g_plane, cache);
  c.g_low = DeviceBuffer(two ? p.g_plane : 0, cache);
}

void CudaBackend::end() {
  if (!call_) return;
  const DeviceContext::Scope current(context_);
  machine_->stream.drain();
  machine_->copies.drain();
  machine_->staging.forget();
  const bool keep = call_->has_begun;
  call_.reset();
  if (!keep) machine_->cache.release();  // a call that did not fit leaves memory to others
}

BackendStats CudaBackend::stats() const { return call_->stats; }

double CudaBackend::bring(Operand operand) {
  const DeviceContext::Scope current(context_);
  const Findings found = call_->store->bring(operand);
  if (found.first_not_finite != kNoFindings.first_not_finite)
    throw_not_finite(operand, static_cast<int64_t>(found.first_not_finite), call_->problem.dim);
  double squares;
  std::memcpy(&squares, &found.longest_squares, sizeof squares);
  return std::sqrt(std::fmax(squares, kLeastSquares));
}

void CudaBackend::download(const void* device, int64_t rows, int64_t width, int64_t pitch, void* host) const {
  machine_->staging.download(machine_->stream, {const_cast<void*>(device), rows, width, pitch}, host,
                             [this] { throw_if_aborted(call_->problem.control); });
}

OperandStore::Pass CudaBackend::pass(bool gradients) const {
  const Call& c = *call_;
  const ProblemSimilarity& s = similarity();
  const auto side = [&](Operand o) {
    return OperandStore::Side{o, gradients && c.problem.matrix(o).gradient};
  };
  const auto traffic = [&](const OperandStore::Side& side) {
    const ProblemMatrix& m = c.problem.matrix(side.operand);
    RowTraffic t;
    if (!m.view.place.on_device)
      t.features = static_cast<double>(m.view.dim) * static_cast<double>(dtype_size(m.view.dtype));
    if (side.gradient && !m.gradient_layout.place.on_device)
      t.gradient = static_cast<double>(m.view.dim) * sizeof(float);
    return t;
  };
  const OperandStore::Side rows = side(s.rows), columns = side(s.columns);
  const HeldSide held = choose_held(s.shape, c.plan.slabs, traffic(rows), traffic(columns));
  return {rows, columns, slab_visits(s.shape, c.plan.slabs, held)};
}

void CudaBackend::finish() {
  const DeviceContext::Scope current(context_);
  call_->store->hand_over();
  if (call_->plan.slabs.rows > 0) {
    machine_->order.record(machine_->copies);
    machine_->order.make_wait(machine_->stream.get());
  }
  // Work that others enqueue from now on comes after the call.
  visit_other_streams([&](api::Stream other) {
    machine_->order.record(machine_->stream);
    machine_->order.make_wait(other);
  });
  machine_->stream.synchronise();  // a copy that fails is this call's error
}

}  // namespace infcl::cuda
