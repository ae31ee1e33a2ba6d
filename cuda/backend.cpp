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

// float16 keeps its own form as long as everything is float16; two planes of bfloat16 hold any of the three
// types.
Precision choose_precision(const Problem& p) {
  if (p.bfloat16) return Precision::kBFloat16;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.hard_negatives})
    if (m->view.rows > 0 && m->view.dtype != DType::kFloat16) return Precision::kTwoPlanes;
  return Precision::kFloat16;
}

std::vector<MatrixView> distinct_matrices(const Problem& p) {
  std::vector<MatrixView> found;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.hard_negatives}) {
    const bool known =
        std::any_of(found.begin(), found.end(), [&](const MatrixView& v) { return is_same(v, m->view); });
    if (m->view.rows > 0 && !known) found.push_back(m->view);
  }
  return found;
}

std::vector<GradientTarget> wanted_gradients(const Problem& p) {
  std::vector<GradientTarget> found;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.hard_negatives})
    if (m->gradient) found.push_back({m->gradient, m->gradient_rows, m->gradient_layout});
  return found;
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
  r.similarities.assign(p.similarities, p.similarities + p.similarity_count);
  for (const MatrixView& m : distinct_matrices(p)) r.matrices.push_back(m.rows);
  for (const GradientTarget& g : wanted_gradients(p)) r.gradients.push_back(g.rows);
  r.dim = p.dim;
  r.pairs = p.hard_negatives.view.rows;
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

int64_t CudaBackend::begin(const Problem& problem) {
  const DeviceContext::Scope current(context_);
  call_ = std::make_unique<Call>(problem);
  Call& c = *call_;
  c.precision = choose_precision(problem);
  c.scale = log2_scale(problem.logit_scale);
  // base 2 for both: softplus(x) = ln 2 * log2(1 + 2^x2)
  c.bias = static_cast<float>(problem.logit_bias * kLog2E);
  c.plan = plan_call(problem);
  visit_other_streams([&](api::Stream other) {  // what they do to features and gradients comes first
    machine_->order.record(other);
    machine_->order.make_wait(machine_->stream.get());
    if (c.plan.slabs.rows > 0) machine_->order.make_wait(machine_->copies.get());
  });
  claim(c.plan);
  c.has_begun = true;
  c.stats.isa = machine_->kernels.instruction_set() + " " + traits_.name;
  c.stats.workspace_bytes = c.plan.total;
  c.stats.slabs = c.plan.slab_count;
  int64_t blocks = 0;
  for (int i = 0; i < problem.similarity_count; ++i) blocks += count_blocks(problem.similarities[i], c.plan);
  return blocks;
}

void CudaBackend::claim(const WorkspacePlan& p) {
  Call& c = *call_;
  Machine& m = *machine_;
  const bool slabs = p.slabs.rows > 0, two = p.planes == 2;
  const std::vector<GradientTarget> gradients = wanted_gradients(c.problem);
  MemoryCache* const cache = &m.cache;
  m.cache.expect(p.total);
  m.staging.reserve(p.staging);
  c.transport = std::make_unique<Transport>(slabs ? m.copies : m.stream, m.staging, m.kernels, cache,
                                            c.problem, c.precision, p);
  if (slabs)
    c.store = std::make_unique<SlabStore>(*c.transport, m.copies, m.stream, cache, p, gradients);
  else
    c.store =
        std::make_unique<ResidentStore>(*c.transport, cache, p, distinct_matrices(c.problem), gradients);
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
  if (!keep) machine_->cache.release();  // somebody is short of memory
}

BackendStats CudaBackend::stats() const { return call_->stats; }

double CudaBackend::check_finite(const MatrixView& view, const char* name) {
  const DeviceContext::Scope current(context_);
  constexpr double kLeastSquares = 1e-36;  // shorter rows count as this long, as on the CPU
  const Findings found = call_->store->examine(view);
  if (found.first_not_finite == kNoFindings.first_not_finite) {
    double squares;
    std::memcpy(&squares, &found.longest_squares, sizeof squares);
    return std::sqrt(std::fmax(squares, kLeastSquares));
  }
  const uint64_t at = found.first_not_finite, dim = static_cast<uint64_t>(view.dim);
  throw Error(ErrorCode::kNotFinite, "input",
              std::string("Expected finite values for ") + name + " but received NaN or Infinity at row " +
                  std::to_string(at / dim) + ", column " + std::to_string(at % dim));
}

void CudaBackend::download(const void* device, int64_t rows, int64_t width, int64_t pitch, void* host) const {
  machine_->staging.download(machine_->stream, {const_cast<void*>(device), rows, width, pitch}, host,
                             [this] { throw_if_aborted(call_->problem.control); });
}

void CudaBackend::load(const SimilarityOperands& operands) { call_->operands = operands; }

OperandStore::Pass CudaBackend::pass(float* d_rows, float* d_columns) const {
  const Call& c = *call_;
  const SimilarityShape& similarity = c.problem.similarities[c.operands.similarity];
  const auto traffic = [&](const MatrixView& m, const float* gradient) {
    RowTraffic t;
    if (!m.place.on_device)
      t.features = static_cast<double>(m.dim) * static_cast<double>(dtype_size(m.dtype));
    for (const GradientTarget& g : wanted_gradients(c.problem))
      if (g.data == gradient && !g.layout.place.on_device)
        t.gradient = static_cast<double>(m.dim) * sizeof(float);
    return t;
  };
  const MatrixView &rows = c.operands.rows, &columns = c.operands.columns;
  const HeldSide held =
      choose_held(similarity, c.plan.slabs, traffic(rows, d_rows), traffic(columns, d_columns));
  return {{rows, d_rows}, {columns, d_columns}, slab_visits(similarity, c.plan.slabs, held)};
}

void CudaBackend::finish() {
  const DeviceContext::Scope current(context_);
  call_->store->hand_over();
  if (call_->plan.slabs.rows > 0) {
    machine_->order.record(machine_->copies);
    machine_->order.make_wait(machine_->stream.get());
  }
  visit_other_streams([&](api::Stream other) {  // what they do from now on comes after
    machine_->order.record(machine_->stream);
    machine_->order.make_wait(other);
  });
  machine_->stream.synchronise();  // that a copy failed is this call's error
}

}  // namespace infcl::cuda
