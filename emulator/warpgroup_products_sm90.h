// wgmma under way, of one warp: the 16 of 64 rows that it holds. Operands are read and accumulators written
// when the program waits, the latest moment it allows; until then accumulators hold NaN, so use before the
// wait is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace infcl::emulator {

class Warp;

// m64n128k16 with both operands in shared memory.
struct WarpgroupProduct {
  static constexpr int kRows = 16, kColumns = 128, kDepth = 16, kAccumulators = 64;
  uint64_t a, b;  // descriptors
  bool a_along_side, b_along_side, bfloat, accumulate;
  uint32_t instruction;       // for messages
  const uint32_t* registers;  // kAccumulators of them
};

// What a warpgroup has issued: its four warps must agree on all of it.
class WarpgroupOrder {
 public:
  void issue(const Warp& warp, size_t count, const WarpgroupProduct& product);  // its warp's count-th

 private:
  struct Issued {
    uint32_t instruction;
    uint64_t a, b;
  };
  std::vector<Issued> issued_;
};

class WarpgroupProducts {
 public:
  void reset() { *this = {}; }
  void fence() { fenced_ = true; }
  void issue(Warp& warp, const WarpgroupProduct& product);
  void commit() { groups_++; }
  void wait(Warp& warp, uint64_t pending_groups);
  bool idle() const { return pending_.empty(); }

 private:
  struct Pending {
    WarpgroupProduct product;
    uint64_t group;
  };
  void write_back(Warp& warp);

  std::vector<Pending> pending_;
  uint64_t groups_ = 0;                  // committed
  size_t issued_ = 0;                    // ever
  bool fenced_ = false;                  // since registers were last given back
  const uint32_t* registers_ = nullptr;  // in flight
  float sums_[WarpgroupProduct::kRows][WarpgroupProduct::kColumns];
};

}  // namespace infcl::emulator
