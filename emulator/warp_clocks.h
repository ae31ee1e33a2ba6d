// Vector clocks over the warps of a cluster: how much of each other's history they have heard of. A warp's
// own clock advances whenever it tells others.
//
// Each warp has two clocks. The first is for all memory; arrivals that release pass it on. The second is for
// settled accesses, which are over and need no order any more: initialised mbarriers behind their fence, and
// reads of a wgmma that was waited for. Every arrival passes the second clock on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace infcl::emulator {

class WarpClocks {
 public:
  explicit WarpClocks(size_t warps) : warps_(warps), heard_(warps * 2 * warps) { reset(); }
  void reset();  // a new cluster

  size_t warps() const { return warps_; }
  uint32_t heard(size_t by, size_t of) const { return row(by)[of]; }
  uint32_t heard_settled(size_t by, size_t of) const { return std::max(row(by)[of], row(by)[warps_ + of]); }
  uint32_t now(size_t warp) const { return heard(warp, warp); }

  // Those in `arriving` release what they did, those in `leaving` acquire it.
  void join(const std::vector<size_t>& arriving, const std::vector<size_t>& leaving);
  // The two halves of join(), for barriers where some warps arrive and others leave. A clock begins empty.
  using Clock = std::vector<uint32_t>;  // of all memory, then of settled accesses
  void release(size_t warp, Clock& into);
  void release_settled(size_t warp, Clock& into) const;  // an arrival that orders no memory
  void acquire(size_t warp, const Clock& from);
  void settle(size_t warp);  // what the warp has done so far, as far as it can settle

 private:
  uint32_t* row(size_t warp) { return &heard_[warp * 2 * warps_]; }
  const uint32_t* row(size_t warp) const { return &heard_[warp * 2 * warps_]; }

  size_t warps_;
  std::vector<uint32_t> heard_;  // [warp][clock][warp]
};

}  // namespace infcl::emulator
