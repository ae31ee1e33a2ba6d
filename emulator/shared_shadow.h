// The race checker of a block's shared memory. Warps are numbered within their cluster.
//
// A warp's clock advances at every barrier it passes; a barrier joins the clocks of those who meet there. Two
// accesses of a byte by two warps race if one writes and the later warp has not heard of the earlier one's
// clock. A cp.async is a write that stays under way until its own warp waits for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "global_shadow.h"
#include "warp_clocks.h"

namespace infcl::emulator {

class SharedShadow {
 public:
  SharedShadow(size_t bytes, const WarpClocks& clocks);
  void reset();  // a new block

  // Each returns what is wrong, or "" if nothing is. `instruction` is for the message of a later conflict.
  struct Finding {
    enum class Kind { kNone, kUninitialised, kRace, kUnderWay } kind = Kind::kNone;
    size_t byte = 0, warp = 0;
    uint32_t instruction = 0;
    bool was_write = false;
  };
  Finding touch(size_t warp, size_t offset, size_t n, Access access, uint32_t instruction);
  Finding begin_copy(size_t warp, size_t offset, size_t n, uint32_t instruction);
  void end_copy(size_t warp, size_t offset, size_t n);
  void mark_initialised(size_t offset, size_t n, bool initialised);
  bool is_initialised(size_t offset, size_t n) const;

 private:
  struct Cell {
    uint32_t write_clock = 0, write_at = 0;
    uint64_t readers = 0;  // mask of warps since the last write
    uint16_t writer = 0;   // warp + 1; 0: none
    bool initialised = false, under_way = false, by_atomic = false;
  };
  struct Read {
    uint32_t clock, at;
    bool settles;
  };
  Finding check(size_t warp, size_t byte, Access access);

  const WarpClocks& clocks_;
  size_t warps_;
  std::vector<Cell> cells_;
  std::vector<Read> reads_;  // [byte][warp], valid where cell.readers says so
};

}  // namespace infcl::emulator
