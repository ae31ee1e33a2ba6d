#include "pass_timer.h"

#include <utility>

#include "clock.h"

namespace infcl::bench {

namespace {

class Lap {  // adds its own life to a sum
 public:
  explicit Lap(double& sum) : sum_(sum), start_(now_seconds()) {}
  ~Lap() { sum_ += now_seconds() - start_; }
  Lap(const Lap&) = delete;
  Lap& operator=(const Lap&) = delete;

 private:
  double& sum_;
  double start_;
};

}  // namespace

LapTimer::LapTimer(Backend& inner, std::function<void()> before_lap)
    : inner_(inner), before_lap_(std::move(before_lap)) {}

LapTimes LapTimer::take() { return std::exchange(times_, {}); }

void LapTimer::prepare_lap(double& apart) {
  if (!before_lap_) return;
  const Lap lap(apart);
  before_lap_();
}

int64_t LapTimer::begin(const Problem& problem) {
  const Lap lap(times_.claim);
  return inner_.begin(problem);
}

double LapTimer::check_finite(const MatrixView& view, const char* name) {
  const Lap lap(times_.upload);
  return inner_.check_finite(view, name);
}

void LapTimer::fold(FoldArgs& args) {
  prepare_lap(times_.forward_apart);
  const Lap lap(times_.forward);
  inner_.fold(args);
}

DifferentiateResult LapTimer::differentiate(const DifferentiateArgs& args) {
  prepare_lap(times_.backward_apart);
  const Lap lap(times_.backward);
  return inner_.differentiate(args);
}

void LapTimer::finish() {
  const Lap lap(times_.download);
  inner_.finish();
}

}  // namespace infcl::bench
