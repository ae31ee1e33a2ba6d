// Decisions about arm64 processors.
#pragma once

#include "isa_decisions.h"

namespace decisions {

// Features of a Cortex-A72, a Neoverse N1 and a Neoverse V1, of those that the kernels may be compiled for.
constexpr CpuFeatures kCortexA72 = kCrc, kNeoverseN1 = kCrc | kLse | kRdma, kNeoverseV1 = kNeoverseN1 | kBf16;

inline void test_known_processors() {
  // NEON needs no feature, but on macOS the compiler may use some in every file
  const CpuFeatures least = kNeonKernels.features;
  CHECK(names_of(available_kernels(kCortexA72 | least)) == "scalar neon ", "Cortex-A72");
  CHECK(names_of(available_kernels(kNeoverseV1)) == "scalar neon ", "Neoverse V1");
  CHECK(&select_kernels("", false, kCortexA72 | least) == &kNeonKernels, "the fastest");
  CHECK(&select_kernels("", true, kNeoverseN1) == &kNeonKernels, "no bfloat16 products, so the others");
  CHECK(&select_kernels("", true, kNeoverseV1) == &kNeonBf16Kernels, "bfloat16 products");
  CHECK(&select_kernels("", false, kNeoverseV1) == &kNeonKernels, "float32 products");
  CHECK(&select_kernels("scalar", true, kNeoverseV1) == &kScalarKernels, "the one asked for");
}

inline void test_compiled_features() {
  CHECK(!covers(kNeonKernels.features, kBf16), "%s", feature_names(kNeonKernels.features).c_str());
  CHECK(covers(kNeonBf16Kernels.features, kNeonKernels.features | kBf16), "%s",
        feature_names(kNeonBf16Kernels.features).c_str());
}

inline void test_decisions() {
  test_known_processors();
  test_each_feature_is_needed();
  test_compiled_features();
  test_refusal("avx2", kNeoverseV1, "scalar, neon");
  // INFCL_ISA names float32 kernels alone: those of bfloat16 products follow by the option of a call
  test_refusal("neonbf16", kNeoverseV1, "scalar, neon");
}

}  // namespace decisions
