#include "cuda/operands/resident_store.h"

#include "core/errors.h"

namespace infcl::cuda {

namespace {

void run(const Transport::Steps& steps) {
  for (const auto& step : steps) step();
}

}  // namespace

ResidentStore::ResidentStore(Transport& transport, MemoryCache* cache, const WorkspacePlan& plan,
                             const std::vector<MatrixView>& matrices,
                             const std::vector<GradientTarget>& gradients)
    : transport_(transport), padded_dim_(plan.padded_dim) {
  for (size_t i = 0; i < matrices.size(); ++i)
    matrices_.push_back({matrices[i], DeviceBuffer(plan.plane_bytes[i], cache),
                         DeviceBuffer(plan.planes == 2 ? plan.plane_bytes[i] : 0, cache), false,
                         kNoFindings});
  for (size_t i = 0; i < gradients.size(); ++i)
    gradients_.push_back({gradients[i], DeviceBuffer(plan.gradient_bytes[i], cache)});
}

Findings ResidentStore::examine(const MatrixView& view) {
  Matrix& m = matrix(view);
  if (m.brought) return m.findings;
  Transport::Steps steps;
  transport_.bring_features(view, {0, view.rows}, {m.high.as<uint16_t>(), m.low.as<uint16_t>()}, steps);
  run(steps);
  m.brought = true;
  return m.findings = transport_.take_findings();
}

Planes ResidentStore::planes(const MatrixView& view, int64_t row) {
  const Matrix& m = matrix(view);
  const int64_t offset = row * padded_dim_;
  uint16_t* const low = m.low.as<uint16_t>();
  return {m.high.as<uint16_t>() + offset, low ? low + offset : nullptr};
}

float* ResidentStore::sums(const float* gradient, int64_t row) {
  if (!gradient) return nullptr;
  for (const Gradient& g : gradients_)
    if (g.target.data == gradient) return g.sums.as<float>() + row * padded_dim_;
  throw Error(ErrorCode::kInternal, "cuda", "a gradient that the problem did not name");
}

void ResidentStore::hand_over() {
  for (const Gradient& g : gradients_) {
    Transport::Steps steps;
    transport_.take_sums(g.target, {0, g.target.rows}, g.sums.as<float>(), steps);
    run(steps);
  }
  transport_.land();
}

ResidentStore::Matrix& ResidentStore::matrix(const MatrixView& view) {
  for (Matrix& m : matrices_)
    if (is_same(m.view, view)) return m;
  throw Error(ErrorCode::kInternal, "cuda", "a matrix that the problem did not name");
}

}  // namespace infcl::cuda
