// The program around a fuzz target, unless libFuzzer has its own:
//
//   NAME_fuzz [cases] [first seed]       seeded cases, one process (ctest and the sanitizer builds)
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "fuzz_bytes.h"
#include "fuzz_case.h"

// Sanitizers call this before they end the process: the case that did it.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*)());

namespace fuzz {

// Returns the number of cases.
inline uint64_t run_seeded_cases(int argc, char** argv, void (*one_case)(const uint8_t* data, size_t size)) {
  const uint64_t cases = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 500;
  const uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(
        [] { std::fprintf(stderr, "in case %llu\n", static_cast<unsigned long long>(current_case)); });
  for (current_case = first; current_case < first + cases; ++current_case) {
    const std::vector<uint8_t> bytes = seeded_bytes(current_case);
    one_case(bytes.data(), bytes.size());
  }
  return cases;
}

}  // namespace fuzz
