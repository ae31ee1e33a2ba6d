#include "warp_clocks.h"

namespace infcl::emulator {

void WarpClocks::reset() {
  std::fill(heard_.begin(), heard_.end(), 0);
  for (size_t w = 0; w < warps_; w++) row(w)[w] = 1;
}

void WarpClocks::release(size_t warp, Clock& into) {
  release_settled(warp, into);
  for (size_t of = 0; of < warps_; of++) into[of] = std::max(into[of], heard(warp, of));
  row(warp)[warp]++;
}

void WarpClocks::release_settled(size_t warp, Clock& into) const {
  into.resize(2 * warps_, 0);
  for (size_t of = warps_; of < 2 * warps_; of++) into[of] = std::max(into[of], row(warp)[of]);
}

void WarpClocks::settle(size_t warp) {
  row(warp)[warps_ + warp] = now(warp);
  row(warp)[warp]++;
}

void WarpClocks::acquire(size_t warp, const Clock& from) {
  for (size_t of = 0; of < from.size(); of++) row(warp)[of] = std::max(row(warp)[of], from[of]);
}

void WarpClocks::join(const std::vector<size_t>& arriving, const std::vector<size_t>& leaving) {
  Clock joint;
  for (size_t w : arriving) release(w, joint);
  for (size_t w : leaving) acquire(w, joint);
}

}  // namespace infcl::emulator
