#include "cuda/operands/resident_store.h"

namespace infcl::cuda {

namespace {

void run(const FeatureCopies::Steps& steps) {
  for (const auto& step : steps) step();
}

}  // namespace

ResidentStore::ResidentStore(FeatureCopies& copies, MemoryCache* cache, const WorkspacePlan& plan,
                             const Problem& problem)
    : copies_(copies), problem_(problem), padded_dim_(plan.padded_dim), index_(problem) {
  for (const int64_t bytes : plan.plane_bytes) {
    Matrix& m = matrices_.emplace_back();
    m.high = DeviceBuffer(bytes, cache);
    m.low = DeviceBuffer(plan.planes == 2 ? bytes : 0, cache);
  }
  size_t gradients = 0;
  for (const Operand o : kOperands)
    if (problem.matrix(o).gradient)
      sums_[static_cast<int>(o)] = DeviceBuffer(plan.gradient_bytes[gradients++], cache);
}

Findings ResidentStore::bring(Operand operand) {
  Matrix& m = matrix(operand);
  if (m.brought) return m.findings;
  const MatrixView& view = problem_.matrix(operand).view;
  FeatureCopies::Steps steps;
  copies_.bring_features(view, {0, view.rows}, {m.high.as<uint16_t>(), m.low.as<uint16_t>()}, steps);
  run(steps);
  m.brought = true;
  return m.findings = copies_.take_findings();
}

Planes ResidentStore::planes(Operand operand, int64_t row) {
  const Matrix& m = matrix(operand);
  const int64_t offset = row * padded_dim_;
  uint16_t* const low = m.low.as<uint16_t>();
  return {m.high.as<uint16_t>() + offset, low ? low + offset : nullptr};
}

float* ResidentStore::sums(Operand operand, int64_t row) {
  return sums_[static_cast<int>(operand)].as<float>() + row * padded_dim_;
}

void ResidentStore::hand_over() {
  for (const Operand o : kOperands) {
    const ProblemMatrix& m = problem_.matrix(o);
    if (!m.gradient) continue;
    FeatureCopies::Steps steps;
    copies_.take_sums(m, {0, m.gradient_rows}, sums(o, 0), steps);
    run(steps);
  }
  copies_.land();
}

}  // namespace infcl::cuda
