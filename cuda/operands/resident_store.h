// Operands that all fit: each matrix comes once, each gradient goes once.
#pragma once

#include <vector>

#include "cuda/operands/feature_copies.h"
#include "cuda/operands/store.h"

namespace infcl::cuda {

class ResidentStore final : public OperandStore {
 public:
  ResidentStore(Transport&, MemoryCache*, const WorkspacePlan&, const std::vector<MatrixView>& matrices,
                const std::vector<GradientTarget>& gradients);
  Findings examine(const MatrixView&) override;
  Planes planes(const MatrixView&, int64_t row) override;
  float* sums(const float* gradient, int64_t row) override;
  bool sums_begin_as_garbage() const override { return true; }
  void hand_over() override;

 private:
  struct Matrix {
    MatrixView view;
    DeviceBuffer high, low;
    bool brought;
    Findings findings;
  };
  struct Gradient {
    GradientTarget target;
    DeviceBuffer sums;  // [rows padded][padded_dim]
  };
  Matrix& matrix(const MatrixView&);

  Transport& transport_;
  const int64_t padded_dim_;
  std::vector<Matrix> matrices_;
  std::vector<Gradient> gradients_;
};

}  // namespace infcl::cuda
