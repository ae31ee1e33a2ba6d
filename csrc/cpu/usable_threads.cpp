// Takes the smaller of the two limits of processor_limits.h.
#include "cpu/usable_threads.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "cpu/processor_limits.h"

namespace infcl::cpu {

int usable_threads() {
  const int allowed = allowed_processors();
  const int processors =
      std::max(1, allowed > 0 ? allowed : static_cast<int>(std::thread::hardware_concurrency()));
  // rounded up: a fraction of a processor is worth a thread
  const double quota = std::ceil(processor_quota());
  return quota < processors ? std::max(1, static_cast<int>(quota)) : processors;
}

}  // namespace infcl::cpu
