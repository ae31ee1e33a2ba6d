// Takes the smaller of the two limits of processor_limits.h.
#include "cpu/usable_threads.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/errors.h"
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

namespace {

// 0: the text is no number from 1 to 1024.
int number_of_threads(const std::string& text) {
  constexpr int kMostThreads = 1024;
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    number = 10 * number + (c - '0');
    if (number > kMostThreads) return 0;
  }
  return number;
}

}  // namespace

void check_default_threads(const std::string& wanted) {
  if (!wanted.empty() && number_of_threads(wanted) == 0)
    throw Error(ErrorCode::kValue, "threads",
                "Expected a whole number from 1 to 1024 for INFCL_THREADS but received " + wanted +
                    "; unset the variable to use every processor");
}

int default_threads(const std::string& wanted) {
  check_default_threads(wanted);
  return wanted.empty() ? usable_threads() : number_of_threads(wanted);
}

}  // namespace infcl::cpu
