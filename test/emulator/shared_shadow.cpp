#include "shared_shadow.h"

#include <algorithm>

namespace infcl::emulator {

SharedShadow::SharedShadow(size_t bytes, size_t warps)
    : bytes_(bytes), warps_(warps), cells_(bytes), reads_(bytes * warps), clocks_(warps * warps) {
  reset();
}

void SharedShadow::reset() {
  std::fill(cells_.begin(), cells_.end(), Cell{});
  std::fill(clocks_.begin(), clocks_.end(), 0);
  for (size_t w = 0; w < warps_; w++) heard(w, w) = 1;
}

SharedShadow::Finding SharedShadow::check(size_t warp, size_t byte, Access access) {
  using Kind = Finding::Kind;
  const Cell& c = cells_[byte];
  if (c.under_way) return {Kind::kUnderWay, byte, c.writer - 1u, c.write_at, true};
  bool both_atomic = access == Access::kAtomic && c.by_atomic;
  if (c.writer && c.writer != warp + 1 && !both_atomic && heard(warp, c.writer - 1u) < c.write_clock)
    return {Kind::kRace, byte, c.writer - 1u, c.write_at, true};
  if (access == Access::kRead) return {};
  for (uint32_t others = c.readers & ~(1u << warp); others; others &= others - 1) {
    auto other = static_cast<size_t>(__builtin_ctz(others));
    const Read& read = reads_[byte * warps_ + other];
    if (heard(warp, other) < read.clock) return {Kind::kRace, byte, other, read.at, false};
  }
  return {};
}

SharedShadow::Finding SharedShadow::touch(size_t warp, size_t offset, size_t n, Access access,
                                          uint32_t instruction) {
  Finding result;
  for (size_t byte = offset; byte < offset + n; byte++) {
    Cell& c = cells_[byte];
    if (access != Access::kWrite && !c.initialised && !c.under_way && result.kind == Finding::Kind::kNone)
      result = {Finding::Kind::kUninitialised, byte, 0, 0, false};  // and yet an access that can race
    if (Finding f = check(warp, byte, access); f.kind != Finding::Kind::kNone) return f;
    if (access == Access::kRead) {
      c.readers |= 1u << warp;
      reads_[byte * warps_ + warp] = {heard(warp, warp), instruction};
      continue;
    }
    c = Cell{};
    c.write_clock = heard(warp, warp);
    c.write_at = instruction;
    c.writer = static_cast<uint16_t>(warp + 1);
    c.initialised = true;
    c.by_atomic = access == Access::kAtomic;
  }
  return result;
}

SharedShadow::Finding SharedShadow::begin_copy(size_t warp, size_t offset, size_t n, uint32_t instruction) {
  Finding f = touch(warp, offset, n, Access::kWrite, instruction);
  for (size_t byte = offset; byte < offset + n; byte++) cells_[byte].under_way = true;
  return f;
}

void SharedShadow::end_copy(size_t warp, size_t offset, size_t n) {
  for (size_t byte = offset; byte < offset + n; byte++) {
    cells_[byte].under_way = false;
    cells_[byte].write_clock = heard(warp, warp);
  }
}

void SharedShadow::mark_initialised(size_t offset, size_t n, bool initialised) {
  for (size_t byte = offset; byte < offset + n; byte++) cells_[byte].initialised = initialised;
}

bool SharedShadow::is_initialised(size_t offset, size_t n) const {
  return std::all_of(cells_.begin() + static_cast<ptrdiff_t>(offset),
                     cells_.begin() + static_cast<ptrdiff_t>(offset + n),
                     [](const Cell& c) { return c.initialised; });
}

void SharedShadow::release(size_t warp, Clock& into) {
  into.resize(warps_, 0);
  for (size_t of = 0; of < warps_; of++) into[of] = std::max(into[of], heard(warp, of));
  heard(warp, warp)++;
}

void SharedShadow::acquire(size_t warp, const Clock& from) {
  for (size_t of = 0; of < from.size(); of++) heard(warp, of) = std::max(heard(warp, of), from[of]);
}

void SharedShadow::join(const std::vector<size_t>& arriving, const std::vector<size_t>& leaving) {
  std::vector<uint32_t> joint(warps_, 0);
  for (size_t w : arriving)
    for (size_t of = 0; of < warps_; of++) joint[of] = std::max(joint[of], heard(w, of));
  for (size_t w : leaving)
    for (size_t of = 0; of < warps_; of++) heard(w, of) = std::max(heard(w, of), joint[of]);
  for (size_t w : arriving) heard(w, w)++;
}

}  // namespace infcl::emulator
