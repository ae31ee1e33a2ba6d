// For processors, and systems on arm64, that no other file knows how to ask. Kernels that need no feature
// run there.
#include "cpu/cpu_features.h"

namespace infcl::cpu {

CpuFeatures cpu_features() { return 0; }

}  // namespace infcl::cpu
