#include "pass_timer.h"

#include <utility>

#include "clock.h"

namespace infcl::bench {

namespace {

class Pass {  // adds its own life to a sum
 public:
  explicit Pass(double& sum) : sum_(sum), start_(now_seconds()) {}
  ~Pass() { sum_ += now_seconds() - start_; }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

 private:
  double& sum_;
  double start_;
};

}  // namespace

PassTimer::PassTimer(Backend& inner, std::function<void()> before_pass)
    : inner_(inner), before_pass_(std::move(before_pass)) {}

PassTimes PassTimer::take() { return std::exchange(times_, {}); }

void PassTimer::prepare_pass(double& seconds) {
  if (!before_pass_) return;
  const Pass pass(seconds);
  before_pass_();
}

BeginResult PassTimer::begin(const Problem& problem) {
  const Pass pass(times_.claim);
  return inner_.begin(problem);
}

double PassTimer::bring(Operand operand) {
  const Pass pass(times_.upload);
  return inner_.bring(operand);
}

void PassTimer::fold(FoldArgs& args) {
  prepare_pass(times_.before_forward);
  const Pass pass(times_.forward);
  inner_.fold(args);
}

DifferentiateResult PassTimer::differentiate(const DifferentiateArgs& args) {
  prepare_pass(times_.before_backward);
  const Pass pass(times_.backward);
  return inner_.differentiate(args);
}

void PassTimer::finish() {
  const Pass pass(times_.download);
  inner_.finish();
}

}  // namespace infcl::bench
