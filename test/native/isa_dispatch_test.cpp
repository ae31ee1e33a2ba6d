// A call takes kernels only from files whose every feature the processor has. The first part tests decisions
// about any processor: these are pure functions. The second part tests this processor: it gets the
// instruction set that the argument names, and runs all kernels that it is offered. isa_under_qemu.cmake runs
// the second part on processors that lack some feature.
#include "cpu/isa_dispatch.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "check.h"
#include "core/errors.h"
#include "cpu_engine.h"
#include "dense_oracle.h"

#if defined(__x86_64__)
#include "isa_decisions_x64.h"
#elif defined(__aarch64__)
#include "isa_decisions_arm64.h"
#else
namespace decisions {
inline void test_decisions() {}
}  // namespace decisions
#endif

using namespace infcl;
using namespace infcl::cpu;

namespace {

// All kernels that this processor is offered solve a small problem. An instruction that the processor lacks
// would end the process.
void test_this_processor(const std::string& expected, const std::string& expected_bfloat16) {
  const std::string features = feature_names(cpu_features());
  const char *isa = select_kernels("", false).isa, *narrow = select_kernels("", true).isa;
  CHECK(isa == expected, "%s, of %s", isa, features.c_str());
  CHECK(narrow == expected_bfloat16, "%s, of %s", narrow, features.c_str());
  const oracle::Features q = oracle::random_features(130, 20, 1), k = oracle::random_features(130, 20, 2);
  ContrastiveRequest r;
  r.objective = make_objective(ObjectiveKind::kClip);
  r.queries = q.view();
  r.keys = k.view();
  const oracle::Result truth = oracle::dense(r, q, k);
  for (const Kernels* one : available_kernels()) {
    Engine e{one->isa};
    for (const bool bfloat16 : {false, true}) {
      r.bfloat16 = bfloat16;
      const double loss = run(e, r, 1, 0).result.loss;
      CHECK(std::fabs(loss / truth.loss - 1) < (bfloat16 ? 1e-3 : 1e-6), "%s: %.9g instead of %.9g", one->isa,
            loss, truth.loss);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    test_this_processor(argv[1], argv[2]);
    return check::summary();
  }
  if (argc != 1) {
    std::fprintf(stderr, "usage: isa_dispatch_test [ISA ISA_OF_BFLOAT16_PRODUCTS]\n");
    return 2;
  }
  decisions::test_decisions();
  test_this_processor(select_kernels("", false).isa, select_kernels("", true).isa);
  return check::summary();
}
