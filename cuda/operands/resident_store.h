// Operands that all fit: each matrix comes once, each gradient goes once.
#pragma once

#include <vector>

#include "cuda/operands/feature_copies.h"
#include "cuda/operands/store.h"

namespace infcl::cuda {

class ResidentStore final : public OperandStore {
 public:
  ResidentStore(FeatureCopies&, MemoryCache*, const WorkspacePlan&, const Problem&);
  Findings bring(Operand) override;
  Planes planes(Operand, int64_t row) override;
  float* sums(Operand, int64_t row) override;
  bool sums_begin_as_garbage() const override { return true; }
  void hand_over() override;

 private:
  struct Matrix {
    DeviceBuffer high, low;
    bool brought = false;
    Findings findings = kNoFindings;
  };
  Matrix& matrix(Operand o) { return matrices_[static_cast<size_t>(index_.of(o))]; }

  FeatureCopies& copies_;
  const Problem& problem_;
  const int64_t padded_dim_;
  const Matrices index_;
  std::vector<Matrix> matrices_;
  DeviceBuffer sums_[kOperandCount];  // [rows padded][padded_dim] of each gradient
};

}  // namespace infcl::cuda
