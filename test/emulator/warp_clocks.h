// Vector clocks over the warps of a cluster: how much of each other's history they have heard of. A warp's
// own clock advances whenever it tells others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace infcl::emulator {

class WarpClocks {
 public:
  explicit WarpClocks(size_t warps) : warps_(warps), heard_(warps * warps) { reset(); }
  void reset();  // a new cluster

  size_t warps() const { return warps_; }
  uint32_t heard(size_t by, size_t of) const { return heard_[by * warps_ + of]; }
  uint32_t now(size_t warp) const { return heard(warp, warp); }

  // Those in `arriving` release what they did, those in `leaving` acquire it.
  void join(const std::vector<size_t>& arriving, const std::vector<size_t>& leaving);
  // The two halves of it, for barriers that nobody leaves when others arrive. A clock begins empty.
  using Clock = std::vector<uint32_t>;
  void release(size_t warp, Clock& into);
  void acquire(size_t warp, const Clock& from);

 private:
  size_t warps_;
  std::vector<uint32_t> heard_;  // [warp][warp]
};

}  // namespace infcl::emulator
