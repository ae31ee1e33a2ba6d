#include "shared_shadow.h"

#include <algorithm>

#include "types.h"

namespace infcl::emulator {

SharedShadow::SharedShadow(size_t bytes, const WarpClocks& clocks)
    : clocks_(clocks), warps_(clocks.warps()), cells_(bytes), reads_(bytes * warps_) {
  if (warps_ > 64)
    throw EmulatorError(Fault::kLaunchFailed, "races among more than 64 warps of a cluster: not modelled");
}

void SharedShadow::reset() { std::fill(cells_.begin(), cells_.end(), Cell{}); }

SharedShadow::Finding SharedShadow::check(size_t warp, size_t byte, Access access) {
  using Kind = Finding::Kind;
  const Cell& c = cells_[byte];
  if (c.under_way) return {Kind::kUnderWay, byte, c.writer - 1u, c.write_at, true};
  bool both_atomic = access == Access::kAtomic && c.by_atomic;
  if (c.writer && c.writer != warp + 1 && !both_atomic && clocks_.heard(warp, c.writer - 1u) < c.write_clock)
    return {Kind::kRace, byte, c.writer - 1u, c.write_at, true};
  if (is_read(access)) return {};
  for (uint64_t others = c.readers & ~(uint64_t{1} << warp); others; others &= others - 1) {
    auto other = static_cast<size_t>(__builtin_ctzll(others));
    const Read& read = reads_[byte * warps_ + other];
    const uint32_t heard = read.settles ? clocks_.heard_settled(warp, other) : clocks_.heard(warp, other);
    if (heard < read.clock) return {Kind::kRace, byte, other, read.at, false};
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
    if (is_read(access)) {
      c.readers |= uint64_t{1} << warp;
      reads_[byte * warps_ + warp] = {clocks_.now(warp), instruction, access == Access::kReadThatSettles};
      continue;
    }
    c = Cell{};
    c.write_clock = clocks_.now(warp);
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
    cells_[byte].write_clock = clocks_.now(warp);
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

}  // namespace infcl::emulator
