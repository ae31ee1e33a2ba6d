// As much of a test framework as the native tests need: CHECK with a message, a summary line, an exit code
// for ctest.
#pragma once

#include <atomic>
#include <cstdio>

namespace check {

// Tests may check on several threads.
inline std::atomic<int> passed{0}, failed{0};

inline int summary() {
  std::printf("%d passed, %d failed\n", passed.load(), failed.load());
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace check

// CHECK(condition, printf-style context...)
#define CHECK(condition, ...)                                      \
  do {                                                             \
    if (condition) {                                               \
      ++check::passed;                                             \
    } else {                                                       \
      ++check::failed;                                             \
      std::printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);  \
      std::printf(__VA_ARGS__);                                    \
      std::printf("\n");                                           \
      std::fflush(stdout); /* a later crash must not swallow it */ \
    }                                                              \
  } while (0)
