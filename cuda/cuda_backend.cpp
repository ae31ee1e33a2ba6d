#include "cuda/cuda_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "core/errors.h"
#include "core/lse.h"

namespace infcl::cuda {

namespace {

bool is_same(const MatrixView& a, const MatrixView& b) {
  return a.data == b.data && a.dtype == b.dtype && a.rows == b.rows && a.dim == b.dim && a.stride == b.stride;
}

Element element_of(DType t) {
  switch (t) {
    case DType::kFloat16:
      return Element::kFloat16;
    case DType::kBFloat16:
      return Element::kBFloat16;
    case DType::kFloat32:
      break;
  }
  return Element::kFloat32;
}

// float16 keeps its own form as long as everything is float16; two planes of bfloat16 hold any of the three
// types.
Precision choose_precision(const Problem& p) {
  if (p.bfloat16) return Precision::kBFloat16;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.private_keys})
    if (m->view.rows > 0 && m->view.dtype != DType::kFloat16) return Precision::kBFloat16x3;
  return Precision::kFloat16;
}

std::vector<MatrixView> distinct_matrices(const Problem& p) {
  std::vector<MatrixView> found;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.private_keys}) {
    const bool known =
        std::any_of(found.begin(), found.end(), [&](const MatrixView& v) { return is_same(v, m->view); });
    if (m->view.rows > 0 && !known) found.push_back(m->view);
  }
  return found;
}

}  // namespace

CudaBackend::CudaBackend(int device) : context_(device), traits_(device_traits(device)) {
  const DeviceContext::Scope current(context_);
  machine_ = std::make_unique<Machine>(traits_.capability);
}

CudaBackend::~CudaBackend() {
  end();
  const DeviceContext::Scope current(context_);
  machine_.reset();
}

WorkspacePlan CudaBackend::plan_call(const Problem& p) const {
  WorkspaceRequest r;
  r.passes.assign(p.passes, p.passes + p.pass_count);
  for (const MatrixView& m : distinct_matrices(p)) r.matrices.push_back(m.rows);
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.private_keys})
    if (m->gradient) r.gradients.push_back(m->gradient_rows);
  r.dim = p.dim;
  r.pairs = p.private_keys.view.rows;
  r.planes = planes_of(choose_precision(p));
  r.gradient = p.gradient;
  r.bound = p.workspace_bytes;
  const MemoryInfo memory = memory_info();
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
  const double scale = problem.logit_scale * kLog2E;
  c.scale_high = static_cast<float>(scale);
  c.scale_low = static_cast<float>(scale - c.scale_high);
  // base 2 for both: softplus(x) = ln 2 * log2(1 + 2^x2)
  c.bias = static_cast<float>(problem.logit_bias * kLog2E);
  c.plan = plan_call(problem);
  claim(c.plan);
  visit_other_streams([&](api::Stream other) {  // what they do to features and gradients comes first
    machine_->order.record(other);
    machine_->order.hold(machine_->stream.get());
  });
  c.stats.isa = machine_->kernels.instruction_set() + " " + traits_.name;
  c.stats.workspace_bytes = c.plan.total;
  int64_t blocks = 0;
  for (const BlockGrid& g : c.plan.grids) blocks += g.blocks();
  return blocks;
}

void CudaBackend::claim(const WorkspacePlan& p) {
  Call& c = *call_;
  const bool two = planes_of(c.precision) == 2;
  size_t at = 0;
  for (const MatrixView& view : distinct_matrices(c.problem)) {
    const int64_t bytes = p.plane_bytes[at++];
    c.matrices.push_back({view, DeviceBuffer(bytes), DeviceBuffer(two ? bytes : 0)});
  }
  at = 0;
  for (const ProblemMatrix* m : {&c.problem.queries, &c.problem.keys, &c.problem.private_keys})
    if (m->gradient)
      c.gradients.push_back(
          {m->gradient, m->gradient_rows, m->gradient_layout, DeviceBuffer(p.gradient_bytes[at++])});
  machine_->staging.reserve(p.staging);
  c.vectors = std::make_unique<LapVectors>(machine_->stream, machine_->staging, p.vectors);
  c.staging = DeviceBuffer(p.staging);
  c.not_finite = DeviceBuffer(p.not_finite);
  c.row_partials = DeviceBuffer(p.row_partials);
  c.column_partials = DeviceBuffer(p.column_partials);
  c.tile_sums = DeviceBuffer(p.tile_sums);
  c.g_high = DeviceBuffer(p.g_plane);
  c.g_low = DeviceBuffer(two ? p.g_plane : 0);
}

void CudaBackend::end() {
  if (!call_) return;
  const DeviceContext::Scope current(context_);
  machine_->stream.drain();
  call_.reset();
}

BackendStats CudaBackend::stats() const { return call_->stats; }

CudaBackend::Matrix& CudaBackend::matrix(const MatrixView& view) {
  for (Matrix& m : call_->matrices)
    if (is_same(m.view, view)) return m;
  throw Error(ErrorCode::kInternal, "cuda", "a matrix that the problem did not name");
}

void CudaBackend::check_finite(const MatrixView& view, const char* name) {
  const DeviceContext::Scope current(context_);
  Matrix& m = matrix(view);
  if (m.uploaded) return;
  upload(m);
  unsigned long long at = 0;
  download(call_->not_finite.as<void>(), 1, sizeof at, sizeof at, &at);
  if (at == ~0ull) return;
  const unsigned long long dim = static_cast<unsigned long long>(view.dim);
  throw Error(ErrorCode::kNotFinite, "input",
              std::string("Expected finite values for ") + name + " but received NaN or Infinity at row " +
                  std::to_string(at / dim) + ", column " + std::to_string(at % dim));
}

void CudaBackend::upload(Matrix& m) {
  Call& c = *call_;
  const Stream& stream = machine_->stream;
  const int64_t padded_dim = c.plan.padded_dim, padding = round_up(m.view.rows, kTile) - m.view.rows;
  const unsigned long long none = ~0ull;
  machine_->staging.upload(stream, c.not_finite.as<void>(), &none, sizeof none);
  if (m.view.place.on_device)
    split(m, m.view.data, m.view.stride, 0, m.view.rows);
  else
    upload_from_host(m);
  for (uint16_t* plane : {m.high.as<uint16_t>(), m.low.as<uint16_t>()})
    if (plane)
      stream.clear(plane + m.view.rows * padded_dim,
                   padding * padded_dim * static_cast<int64_t>(sizeof(uint16_t)));
  m.uploaded = true;
}

void CudaBackend::upload_from_host(const Matrix& m) {
  Call& c = *call_;
  const int64_t width = m.view.dim * static_cast<int64_t>(dtype_size(m.view.dtype));
  const int64_t step = std::max<int64_t>(1, c.plan.staging / width);
  for (int64_t row = 0; row < m.view.rows; row += step) {
    throw_if_aborted(c.problem.control);
    const int64_t rows = std::min(step, m.view.rows - row);
    machine_->staging.upload_piece(machine_->stream, c.staging.as<void>(), rows * width, [&](char* pinned) {
      for (int64_t i = 0; i < rows; ++i)
        std::memcpy(pinned + i * width, m.view.row(row + i), static_cast<size_t>(width));
    });
    split(m, c.staging.as<void>(), m.view.dim, row, rows);
  }
}

void CudaBackend::split(const Matrix& m, const void* rows, int64_t stride, int64_t row, int64_t count) {
  const Call& c = *call_;
  const int64_t padded_dim = c.plan.padded_dim;
  SplitArgs a{};
  a.in = rows;
  a.element = element_of(m.view.dtype);
  a.rows = count;
  a.dim = m.view.dim;
  a.stride = stride;
  a.high = m.high.as<uint16_t>() + row * padded_dim;
  a.low = m.low.as<uint16_t>() ? m.low.as<uint16_t>() + row * padded_dim : nullptr;
  a.padded_dim = static_cast<int32_t>(padded_dim);
  a.to_float16 = c.precision == Precision::kFloat16;
  a.first_index = static_cast<unsigned long long>(row * m.view.dim);
  a.first_not_finite = c.not_finite.as<unsigned long long>();
  machine_->kernels.split(machine_->stream, a);
}

Planes CudaBackend::planes(const MatrixView& view, int64_t row) {
  const Matrix& m = matrix(view);
  const int64_t offset = row * call_->plan.padded_dim;
  uint16_t* const low = m.low.as<uint16_t>();
  return {m.high.as<uint16_t>() + offset, low ? low + offset : nullptr};
}

void CudaBackend::download(const void* device, int64_t rows, int64_t width, int64_t pitch, void* host) const {
  machine_->staging.download(machine_->stream, {device, rows, width, pitch}, host,
                             [this] { throw_if_aborted(call_->problem.control); });
}

void CudaBackend::load(const PassOperands& operands) { call_->operands = operands; }

float* CudaBackend::gradient_sums(const float* target) const {
  if (!target) return nullptr;
  for (const Gradient& g : call_->gradients)
    if (g.target == target) return g.sums.as<float>();
  throw Error(ErrorCode::kInternal, "cuda", "a gradient that the problem did not name");
}

void CudaBackend::hand_over(const Gradient& g) const {
  constexpr int64_t kFloat = sizeof(float);
  const int64_t dim = call_->problem.dim, width = dim * kFloat, pitch = call_->plan.padded_dim * kFloat;
  if (!g.layout.place.on_device) return download(g.sums.as<void>(), g.rows, width, pitch, g.target);
  const int64_t stride = g.layout.stride > 0 ? g.layout.stride : dim;
  machine_->stream.copy_rows({true, g.target, stride * kFloat}, {true, g.sums.as<void>(), pitch}, g.rows,
                             width);
}

void CudaBackend::finish() {
  const DeviceContext::Scope current(context_);
  for (const Gradient& g : call_->gradients) hand_over(g);
  visit_other_streams([&](api::Stream other) {  // what they do from now on comes after
    machine_->order.record(machine_->stream);
    machine_->order.hold(other);
  });
  machine_->stream.synchronise();  // that a copy failed is this call's error
}

}  // namespace infcl::cuda
