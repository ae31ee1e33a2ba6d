// The registers of a block, which its warps give back and take with setmaxnreg.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace infcl::emulator {

class Warp;

class RegisterPool {
 public:
  // Warps begin with equal parts of a multiprocessor's registers.
  void reset(size_t warps);
  void give(Warp& warp, uint32_t registers);  // keeps so many a thread
  bool take(Warp& warp, uint32_t registers);  // false: not all of them are there, and others should run

 private:
  std::vector<uint32_t> held_;  // a thread, of each warp
  uint32_t free_ = 0;           // a thread, of no warp
  uint64_t fruitless_ = 0;      // tries in a row
};

}  // namespace infcl::emulator
