// Takes the smaller of the affinity of the process and its cgroup quota.
#include "cpu/usable_threads.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "cpu/cgroup_quota.h"

#if defined(__linux__)
#include <sched.h>

#include <cerrno>
#include <memory>
#endif

namespace infcl::cpu {

namespace {

#if defined(__linux__)
// The number of processors that this process may run on; 0: unknown.
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
#else
// Other systems have neither the call nor cgroups: all processors count.
int allowed_processors() { return 0; }
double processor_quota() { return kNoQuota; }
#endif

}  // namespace

int usable_threads() {
  const int allowed = allowed_processors();
  const int processors =
      std::max(1, allowed > 0 ? allowed : static_cast<int>(std::thread::hardware_concurrency()));
  // rounded up: a fraction of a processor is worth a thread
  const double quota = std::ceil(processor_quota());
  return quota < processors ? std::max(1, static_cast<int>(quota)) : processors;
}

}  // namespace infcl::cpu
