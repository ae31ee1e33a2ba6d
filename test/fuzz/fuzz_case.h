// The case that a fuzz program runs, and a check that names it: the number is enough to run the case again.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

inline uint64_t current_case = 0;

// Ends the program where the condition does not hold, with a message as printf takes it.
#define EXPECT(condition, ...)                                                                            \
  do {                                                                                                    \
    if (!(condition)) {                                                                                   \
      std::fprintf(stderr, "case %llu: %s: ", static_cast<unsigned long long>(current_case), #condition); \
      std::fprintf(stderr, __VA_ARGS__);                                                                  \
      std::fprintf(stderr, "\n");                                                                         \
      std::abort();                                                                                       \
    }                                                                                                     \
  } while (0)
