// Names of processor features, for messages.
#include "cpu/cpu_features.h"

namespace infcl::cpu {

std::string feature_names(CpuFeatures features) {
  std::string names;
#define INFCL_ADD_NAME(feature, name, macro) \
  if (features & feature) names += (names.empty() ? "" : ", ") + std::string(name);
  INFCL_CPU_FEATURES(INFCL_ADD_NAME)
#undef INFCL_ADD_NAME
  return names;
}

}  // namespace infcl::cpu
