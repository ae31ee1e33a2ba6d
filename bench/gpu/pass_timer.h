// A backend that hands every call on to another and keeps the time of each. A backend has finished its work
// on the device when one of these calls returns, so a clock on the host tells copies from kernels. Features
// travel in bring, gradients in finish, and a pass moves only vectors along its rows and columns.
#pragma once

#include <functional>

#include "core/backend.h"

namespace infcl::bench {

// Seconds of one call.
struct PassTimes {
  double claim = 0;                                // begin: memory
  double upload = 0;                               // bring: features, to the form that kernels read
  double forward = 0;                              // fold
  double backward = 0;                             // differentiate
  double download = 0;                             // finish: gradients
  double before_forward = 0, before_backward = 0;  // spent in `before_pass`, which is no part of the call
};

class PassTimer final : public Backend {
 public:
  // `before_pass` runs before each fold and each differentiate; may be empty.
  explicit PassTimer(Backend& inner, std::function<void()> before_pass = {});
  PassTimes take();  // the sums since the last take

  BeginResult begin(const Problem&) override;
  double bring(Operand) override;
  void positive_dots(const int32_t* labels, float* out) override { inner_.positive_dots(labels, out); }
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  void hard_negative_dots(float* dots, float* errors) override { inner_.hard_negative_dots(dots, errors); }
  double differentiate_hard_negatives(const HardNegativeArgs& args) override {
    return inner_.differentiate_hard_negatives(args);
  }
  void finish() override;
  BackendStats stats() const override { return inner_.stats(); }
  void end() override { inner_.end(); }

 private:
  void prepare_pass(double& seconds);

  Backend& inner_;
  std::function<void()> before_pass_;
  PassTimes times_;
};

}  // namespace infcl::bench
