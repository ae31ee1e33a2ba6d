// Logits of every size that float32 holds, on the CUDA backend: right, or refused. Runs where
// cuda_engine_test does, and does not run where that does not.
#include <cstdlib>
#include <string>

#include "check.h"
#include "cuda_engine.h"
#include "large_logit_checks.h"
#include "tie_checks.h"

namespace {

// Gradients are products of two planes of bfloat16, which hold 16 bits of a logit's gradient.
constexpr double kBound = 1e-5;
// Slack of limits: 513 features in two planes, on both sides of the dots of tiles.
constexpr double kLimitSlack = 6e-4;

}  // namespace

int main() {
  if (!std::getenv("INFCL_CUDA_LIBRARY") && !std::getenv("INFCL_TEST_DEVICE")) {
    std::printf("SKIPPED cuda_large_logits_test: neither INFCL_CUDA_LIBRARY nor INFCL_TEST_DEVICE is set\n");
    return 77;  // ctest shows it as skipped
  }
  Engine engine;
  const cases::Solver s{"cuda", [&](const infcl::ContrastiveRequest& r) { return engine.run(r); }, kBound,
                        kLimitSlack};
  large::visit([&](const large::Problem& p) { large::against_oracle(s, p); });
  large::check_all(s, {0x1p-16, 2});  // the product of two low planes is left out
  cases::check_ties(s);
  return check::summary();
}
