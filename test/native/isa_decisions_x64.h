// Decisions about x64 processors.
#pragma once

#include "isa_decisions.h"

namespace decisions {

// Features of a processor of 2013, and of processors with all of AVX-512 that the kernels are compiled for.
constexpr CpuFeatures kHaswell =
    kSse3 | kSsse3 | kSse41 | kSse42 | kPopcnt | kAvx | kAvx2 | kFma | kBmi | kBmi2;
constexpr CpuFeatures kSkylake = kHaswell | kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl | kAvx512Cd;

inline void test_known_processors() {
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

inline void test_compiled_features() {
  CHECK(covers(kAvx2Kernels.features, kAvx2 | kFma), "%s", feature_names(kAvx2Kernels.features).c_str());
  CHECK(covers(kAvx512Kernels.features, kAvx512F | kAvx512Bw | kAvx512Dq | kAvx512Vl), "%s",
        feature_names(kAvx512Kernels.features).c_str());
  CHECK(covers(kAvx512Bf16Kernels.features, kAvx512Kernels.features | kAvx512Bf16), "%s",
        feature_names(kAvx512Bf16Kernels.features).c_str());
}

inline void test_decisions() {
  test_known_processors();
  test_each_feature_is_needed();
  test_compiled_features();
  test_refusal("avx512", kHaswell | kAvx512F, "scalar, avx2");
  test_refusal("neon", kEveryFeature, "scalar, avx2, avx512");
}

}  // namespace decisions
