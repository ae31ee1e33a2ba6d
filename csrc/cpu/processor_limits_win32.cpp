// Windows: the affinity of the process. Nothing reads the limits of job objects, so a container has no quota.
#include <windows.h>

#include "cpu/processor_limits.h"

namespace infcl::cpu {

// The mask covers one group of at most 64 processors. A process that spans several groups gets an empty mask,
// which means unknown.
int allowed_processors() {
  DWORD_PTR process = 0, system = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &system)) return 0;
  return __builtin_popcountll(process);
}

double processor_quota() { return kNoQuota; }

}  // namespace infcl::cpu
