// Asks an x64 processor and the operating system for the features of the table.
#include "cpu/cpu_features.h"

namespace infcl::cpu {

CpuFeatures cpu_features() {
  // libgcc also asks (xgetbv) whether the operating system saves the registers of AVX and AVX-512
#define INFCL_SUPPORTED(feature, name, macro) | (__builtin_cpu_supports(name) ? feature : CpuFeatures{0})
  static const CpuFeatures found = 0 INFCL_X64_FEATURES(INFCL_SUPPORTED);
#undef INFCL_SUPPORTED
  return found;
}

}  // namespace infcl::cpu
