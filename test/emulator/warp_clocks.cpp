#include "warp_clocks.h"

#include <algorithm>

namespace infcl::emulator {

void WarpClocks::reset() {
  std::fill(heard_.begin(), heard_.end(), 0);
  for (size_t w = 0; w < warps_; w++) heard_[w * warps_ + w] = 1;
}

void WarpClocks::release(size_t warp, Clock& into) {
  into.resize(warps_, 0);
  for (size_t of = 0; of < warps_; of++) into[of] = std::max(into[of], heard(warp, of));
  heard_[warp * warps_ + warp]++;
}

void WarpClocks::acquire(size_t warp, const Clock& from) {
  for (size_t of = 0; of < from.size(); of++) {
    uint32_t& known = heard_[warp * warps_ + of];
    known = std::max(known, from[of]);
  }
}

void WarpClocks::join(const std::vector<size_t>& arriving, const std::vector<size_t>& leaving) {
  Clock joint;
  for (size_t w : arriving) release(w, joint);
  for (size_t w : leaving) acquire(w, joint);
}

}  // namespace infcl::emulator
