// A backend that passes every call on to another and keeps the time each took. A backend has finished its
// work on the device when one of these calls returns, so a clock on the host sees copies and kernels apart
// without a hook inside: features travel in check_finite, gradients in finish, and a pass moves only vectors
// along its rows and columns.
#pragma once

#include <functional>

#include "core/backend.h"

namespace infcl::bench {

// Seconds of one call.
struct PassTimes {
  double claim = 0;                              // begin: memory
  double upload = 0;                             // check_finite: features, to the form that kernels read
  double forward = 0;                            // fold
  double backward = 0;                           // differentiate
  double download = 0;                           // finish: gradients
  double forward_apart = 0, backward_apart = 0;  // spent in `before_pass`, which is no part of the call
};

class PassTimer final : public Backend {
 public:
  // `before_pass` runs before each fold and each differentiate; may be empty.
  explicit PassTimer(Backend& inner, std::function<void()> before_pass = {});
  PassTimes take();  // what has gathered since the last take

  int64_t begin(const Problem&) override;
  double check_finite(const MatrixView&, const char* name) override;
  void positive_dots(const MatrixView& queries, const MatrixView& keys, const int32_t* labels,
                     float* out) override {
    inner_.positive_dots(queries, keys, labels, out);
  }
  void load(const SimilarityOperands& operands) override { inner_.load(operands); }
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  void hard_negative_dots(const HardNegatives& keys, float* dots, float* errors) override {
    inner_.hard_negative_dots(keys, dots, errors);
  }
  void differentiate_hard_negatives(const HardNegatives& keys, const float* g, float* d_queries,
                                    float* d_keys) override {
    inner_.differentiate_hard_negatives(keys, g, d_queries, d_keys);
  }
  void finish() override;
  BackendStats stats() const override { return inner_.stats(); }
  void end() override { inner_.end(); }

 private:
  void prepare_pass(double& apart);

  Backend& inner_;
  std::function<void()> before_pass_;
  PassTimes times_;
};

}  // namespace infcl::bench
