// The processor features that kernels may need. One table serves two questions: which features could the
// compiler use in a file, and which does the processor have. Each processor family has its part of the table.
//
// Refuses features that no kernel is compiled for: a new flag in sources.cmake needs a row here first.
#pragma once

#include <cstdint>
#include <string>

namespace infcl::cpu {

// A feature, its name, and the macro that the compiler defines where code may use the feature. Some flags
// include the features of older processors, so these features have rows as well.
//
// x64: the name of a row is that of the flag -mNAME.
#define INFCL_X64_FEATURES(X)            \
  X(kSse3, "sse3", __SSE3__)             \
  X(kSsse3, "ssse3", __SSSE3__)          \
  X(kSse41, "sse4.1", __SSE4_1__)        \
  X(kSse42, "sse4.2", __SSE4_2__)        \
  X(kPopcnt, "popcnt", __POPCNT__)       \
  X(kAvx, "avx", __AVX__)                \
  X(kAvx2, "avx2", __AVX2__)             \
  X(kFma, "fma", __FMA__)                \
  X(kBmi, "bmi", __BMI__)                \
  X(kBmi2, "bmi2", __BMI2__)             \
  X(kAvx512F, "avx512f", __AVX512F__)    \
  X(kAvx512Bw, "avx512bw", __AVX512BW__) \
  X(kAvx512Dq, "avx512dq", __AVX512DQ__) \
  X(kAvx512Vl, "avx512vl", __AVX512VL__) \
  X(kAvx512Cd, "avx512cd", __AVX512CD__) \
  X(kAvx512Bf16, "avx512bf16", __AVX512BF16__)
// arm64: the name of a row is that of the extension in -march=...+NAME. NEON has no row: every arm64
// processor has NEON, and compilers use it in all files.
#define INFCL_ARM64_FEATURES(X)         \
  X(kCrc, "crc", __ARM_FEATURE_CRC32)   \
  X(kLse, "lse", __ARM_FEATURE_ATOMICS) \
  X(kRdma, "rdma", __ARM_FEATURE_QRDMX) \
  X(kBf16, "bf16", __ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define INFCL_CPU_FEATURES(X) INFCL_X64_FEATURES(X) INFCL_ARM64_FEATURES(X)

// Bits of the features, in the order of the table.
using CpuFeatures = uint32_t;

#define INFCL_FEATURE_INDEX(feature, name, macro) feature##Index,
enum CpuFeatureIndex { INFCL_CPU_FEATURES(INFCL_FEATURE_INDEX) kCpuFeatureCount };
#undef INFCL_FEATURE_INDEX
#define INFCL_FEATURE_BIT(feature, name, macro) feature = CpuFeatures{1} << feature##Index,
enum CpuFeature : CpuFeatures { INFCL_CPU_FEATURES(INFCL_FEATURE_BIT) };
#undef INFCL_FEATURE_BIT

constexpr bool covers(CpuFeatures has, CpuFeatures needs) { return (has & needs) == needs; }

// The features that this processor has and its operating system lets programs use. Each processor family has
// a file cpu_features_FAMILY.cpp, and arm64 one for each operating system.
CpuFeatures cpu_features();
// "avx2, fma"
std::string feature_names(CpuFeatures);

namespace {  // unnamed, since the result differs from file to file with the flags

#define INFCL_TEXT(text) #text
// A defined macro expands to 1 before it becomes text. An undefined macro keeps its name.
#define INFCL_IS_DEFINED(macro) (INFCL_TEXT(macro)[0] == '1')
#define INFCL_COMPILED(feature, name, macro) | (INFCL_IS_DEFINED(macro) ? feature : CpuFeatures{0})
// The features that the compiler may use in the file that includes this header.
constexpr CpuFeatures compiled_features() { return 0 INFCL_CPU_FEATURES(INFCL_COMPILED); }
#undef INFCL_COMPILED

}  // namespace
}  // namespace infcl::cpu
