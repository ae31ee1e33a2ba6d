// Kernels are taken only from files whose every feature the processor has. Two parts: decisions about any
// processor, which are pure functions; and, with the name of an instruction set as argument, that this
// processor gets it and runs all that it is offered. isa_under_qemu.cmake runs the second part on processors
// that lack something.
#include "cpu/isa_dispatch.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "check.h"
#include "core/errors.h"
#include "cpu_engine.h"
#include "dense_oracle.h"

using namespace infcl;
using namespace infcl::cpu;

namespace {

std::string names_of(const std::vector<const Kernels*>& kernels) {
  std::string names;
  for (const Kernels* k : kernels) names += std::string(k->isa) + " ";
  return names;
}

#if defined(__x86_64__)
constexpr CpuFeatures kEveryFeature = (CpuFeatures{1} << kCpuFeatureCount) - 1;
// Of a processor of 2013, and of those with the AVX-512 that the kernels are compiled for.
constexpr CpuFeatures kHaswell =
    kSse3 | kSsse3 | kSse41 | kSse42 | kPopcnt | kAvx | kAvx2 | kFma | kBmi | kBmi2;
constexpr CpuFeatures kSkylake = kHaswell | kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl | kAvx512Cd;

void test_known_processors() {
  CHECK(names_of(available_kernels(0)) == "scalar ", "%s", names_of(available_kernels(0)).c_str());
  CHECK(names_of(available_kernels(kHaswell)) == "scalar avx2 ", "Haswell");
  CHECK(names_of(available_kernels(kSkylake)) == "scalar avx2 avx512 ", "Skylake");
  // Knights Landing and Knights Mill have avx512f and avx512cd, and none of bw, dq, vl
  CHECK(names_of(available_kernels(kHaswell | kAvx512F | kAvx512Cd)) == "scalar avx2 ", "Knights Landing");
  CHECK(&select_kernels("", false, kHaswell) == &kAvx2Kernels, "the fastest");
  CHECK(&select_kernels("", true, kSkylake) == &kAvx512Kernels, "no bfloat16 products, so the others");
  CHECK(&select_kernels("", true, kEveryFeature) == &kAvx512Bf16Kernels, "bfloat16 products");
  CHECK(&select_kernels("", false, kEveryFeature) == &kAvx512Kernels, "float32 products");
  CHECK(&select_kernels("avx2", true, kEveryFeature) == &kAvx2Kernels, "the one asked for");
}

// Each file's kernels need all that the file was compiled for, each feature by itself.
void test_each_feature_is_needed() {
  for (const Kernels* k : {&kAvx2Kernels, &kAvx512Kernels, &kAvx512Bf16Kernels})
    for (int i = 0; i < kCpuFeatureCount; ++i) {
      const CpuFeatures feature = CpuFeatures{1} << i, has = kEveryFeature & ~feature;
      if (!(k->features & feature)) continue;
      bool offered = &select_kernels("", true, has) == k;
      for (const Kernels* one : available_kernels(has)) offered = offered || one == k;
      CHECK(!offered, "%s without %s", k->isa, feature_names(feature).c_str());
    }
  CHECK(covers(kAvx2Kernels.features, kAvx2 | kFma), "%s", feature_names(kAvx2Kernels.features).c_str());
  CHECK(covers(kAvx512Kernels.features, kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl), "%s",
        feature_names(kAvx512Kernels.features).c_str());
  CHECK(covers(kAvx512Bf16Kernels.features, kAvx512Kernels.features | kAvx512Bf16), "%s",
        feature_names(kAvx512Bf16Kernels.features).c_str());
}

void test_refusal() {
  try {
    select_kernels("avx512", false, kHaswell | kAvx512F);
    CHECK(false, "taken though avx512bw, avx512dq and avx512vl are missing");
  } catch (const Error& e) {
    const std::string expected =
        "[isa] Expected one of scalar, avx2 for INFCL_ISA but received avx512 (not available on this "
        "machine)";
    CHECK(e.code() == ErrorCode::kIsa && e.what() == expected, "%s", e.what());
  }
}
#endif

// Every kernel that this processor is offered solves a small problem. Kernels that it lacks an instruction of
// would end the process.
void test_this_processor(const std::string& expected) {
  CHECK(select_kernels("", false).isa == expected, "%s, of %s", select_kernels("", false).isa,
        feature_names(cpu_features()).c_str());
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
  if (argc > 1) {
    test_this_processor(argv[1]);
    return check::summary();
  }
#if defined(__x86_64__)
  test_known_processors();
  test_each_feature_is_needed();
  test_refusal();
#endif
  test_this_processor(available_kernels().back()->isa);
  return check::summary();
}
