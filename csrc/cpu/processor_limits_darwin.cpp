// macOS has neither an affinity of processes nor control groups: all processors count.
#include "cpu/processor_limits.h"

namespace infcl::cpu {

int allowed_processors() { return 0; }

double processor_quota() { return kNoQuota; }

}  // namespace infcl::cpu
