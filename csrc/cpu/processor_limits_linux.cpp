// Linux: the affinity of the process, and the quota of its control groups.
#include <sched.h>

#include <cerrno>
#include <memory>

#include "cpu/cgroup_quota.h"
#include "cpu/processor_limits.h"

namespace infcl::cpu {

int allowed_processors() {
  constexpr int kMostProcessors = 1 << 16;
  for (int size = 1024; size <= kMostProcessors; size *= 2) {  // Linux refuses sets smaller than its own
    const auto free_set = [](cpu_set_t* set) { CPU_FREE(set); };
    const std::unique_ptr<cpu_set_t, decltype(free_set)> set(CPU_ALLOC(size), free_set);
    if (!set) return 0;
    const size_t bytes = CPU_ALLOC_SIZE(size);
    CPU_ZERO_S(bytes, set.get());
    if (sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
    if (errno != EINVAL) return 0;
  }
  return 0;
}

double processor_quota() { return cgroup_quota("/"); }

}  // namespace infcl::cpu
