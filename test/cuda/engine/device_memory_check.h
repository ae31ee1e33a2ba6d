// What may be missing of a device's memory after calls that have given back all they took: one rule for every
// test that compares free memory.
#pragma once

#include <cstdint>

#include "core/backends.h"
#include "emulator_log.h"

namespace device_memory {

// Memory that backends keep for their next call counts as free.
inline int64_t free_bytes() { return infcl::device_memory_info(0).free; }

// A driver hands out pages of 2 MiB, and keeps some for itself when a process first uses a feature, such as a
// kernel with a larger stack. The limit has room for eight pages; it was not measured on a GPU.
constexpr int64_t kMostKeptByDriver = int64_t{16} << 20;

// `lost`: free bytes before, less free bytes after. The emulator counts bytes and keeps none.
inline bool is_given_back(int64_t lost) {
  return emulator::is_there() ? lost == 0 : lost <= kMostKeptByDriver;
}

// The same as words, for reports.
inline const char* rule() {
  return emulator::is_there() ? "the emulator must get back every byte" : "a driver may keep 16 MiB";
}

}  // namespace device_memory
