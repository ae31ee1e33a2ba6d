// Asks the processor and the operating system for the features of the table. Refuses to guess: processors of
// other architectures have none of these features.
#include "cpu/cpu_features.h"

namespace infcl::cpu {

CpuFeatures cpu_features() {
#if defined(__x86_64__)
  // libgcc also asks (xgetbv) whether the operating system saves the registers of AVX and AVX-512
#define INFCL_SUPPORTED(feature, name, macro) | (__builtin_cpu_supports(name) ? feature : CpuFeatures{0})
  static const CpuFeatures found = 0 INFCL_CPU_FEATURES(INFCL_SUPPORTED);
#undef INFCL_SUPPORTED
  return found;
#else
  return 0;
#endif
}

std::string feature_names(CpuFeatures features) {
  std::string names;
#define INFCL_ADD_NAME(feature, name, macro) \
  if (features & feature) names += (names.empty() ? "" : ", ") + std::string(name);
  INFCL_CPU_FEATURES(INFCL_ADD_NAME)
#undef INFCL_ADD_NAME
  return names;
}

}  // namespace infcl::cpu
