// The emulated device's global memory: host pages at addresses of their own, so that a kernel's pointer is a
// host pointer, with the exact size of every allocation known and unmapped pages around each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "global_shadow.h"

namespace infcl::emulator {

struct Allocation {
  uint64_t begin = 0;
  size_t bytes = 0;
  void* mapping = nullptr;
  size_t mapping_bytes = 0;
  std::unique_ptr<GlobalShadow> shadow;  // null unless checking

  uint64_t end() const { return begin + bytes; }
  bool contains(uint64_t address, size_t n) const {
    return address >= begin && n <= bytes && address - begin <= bytes - n;
  }
};

class DeviceMemory {
 public:
  ~DeviceMemory();

  // 0 when the device's memory (`capacity`) is used up. Fresh memory holds 0xFF: NaN in every float type.
  uint64_t allocate(size_t bytes, size_t capacity, bool with_shadow);
  bool free(uint64_t address);
  const Allocation* find(uint64_t address) const;  // the one that contains the address, or null
  std::string describe(uint64_t address) const;    // "8 bytes past the end of the allocation of 64 bytes"

  size_t count() const { return allocations_.size(); }
  size_t bytes_in_use() const { return bytes_in_use_; }
  size_t peak_bytes() const { return peak_bytes_; }
  void reset_peak() { peak_bytes_ = bytes_in_use_; }

 private:
  std::map<uint64_t, Allocation> allocations_;
  size_t bytes_in_use_ = 0, peak_bytes_ = 0;
};

}  // namespace infcl::emulator
