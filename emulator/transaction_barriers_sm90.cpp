#include "transaction_barriers_sm90.h"

#include <cstring>

#include "cluster.h"
#include "memory.h"

namespace infcl::emulator {
namespace {

constexpr uint64_t kHopeless = 1 << 20;        // polls; others need far fewer turns to do something
constexpr int64_t kMostBytes = (1 << 20) - 1;  // a phase counts this many
constexpr uint32_t kMostArrivals = (1 << 20) - 1;
constexpr uint32_t kChunk = 16, kBarrierBytes = 8;

std::string name(uint32_t offset) { return "mbarrier at shared byte " + std::to_string(offset); }

// The 128-byte swizzle: bits 4 to 6 of an address by bits 7 to 9.
uint32_t swizzle(uint32_t address) { return address ^ (address >> 7 & 7) << 4; }

// Every 16-byte chunk of the box: f(shared offset, address in the matrix, whether inside of it).
template <class F>
void for_each_chunk(const TensorBox& box, F f) {
  constexpr int64_t kElements = kChunk / 2;
  for (uint32_t r = 0; r < box.rows; r++)
    for (uint32_t c = 0; c < box.columns / kElements; c++) {
      const int64_t x = box.x + c * kElements, y = box.y + r;
      const bool inside =
          x >= 0 && y >= 0 && x < static_cast<int64_t>(box.width) && y < static_cast<int64_t>(box.height);
      const uint32_t shared = swizzle(box.shared_offset + r * box.columns * 2 + c * kChunk);
      const uint64_t global =
          box.base + static_cast<uint64_t>(y) * box.row_bytes + static_cast<uint64_t>(x) * 2;
      f(shared, inside ? global : 0, inside);
    }
}

}  // namespace

void TransactionBarriers::touch(Warp& warp, uint32_t offset, Access access) {
  SharedShadow* shadow = block_.shadow();
  if (shadow)
    report(warp, shadow->touch(warp.index_in_cluster(), offset, kBarrierBytes, access, warp.instruction()));
}

TransactionBarriers::Barrier& TransactionBarriers::at(Warp& warp, uint32_t offset) {
  auto found = barriers_.find(offset);
  if (found == barriers_.end()) warp.fail(Fault::kLaunchFailed, name(offset) + " was not initialised");
  const Barrier& b = found->second;
  const uint32_t self = warp.index_in_cluster();
  if (const WarpClocks* clocks = block_.cluster().clocks()) {
    const uint32_t heard = b.visible ? clocks->heard_settled(self, b.owner) : clocks->heard(self, b.owner);
    if (self != b.owner && heard < b.clock)
      report(warp, {SharedShadow::Finding::Kind::kRace, offset, b.owner, b.instruction, true});
  }
  touch(warp, offset, Access::kAtomic);
  return found->second;
}

void TransactionBarriers::initialize(Warp& warp, uint32_t offset, uint32_t arrivals) {
  shared_pointer(warp, offset, kBarrierBytes, kBarrierBytes);
  if (arrivals == 0 || arrivals > kMostArrivals)
    warp.fail(Fault::kLaunchFailed, name(offset) + " for " + std::to_string(arrivals) + " arrivals");
  if (barriers_.count(offset)) warp.fail(Fault::kLaunchFailed, name(offset) + " is initialised twice");
  touch(warp, offset, Access::kWrite);
  touch(warp, offset, Access::kAtomic);  // from now on at() looks who may know of the barrier
  Barrier& b = barriers_[offset];
  b.expected = b.missing = arrivals;
  b.owner = warp.index_in_cluster();
  if (const WarpClocks* clocks = block_.cluster().clocks()) b.clock = clocks->now(b.owner);
  b.instruction = warp.instruction();
}

void TransactionBarriers::make_visible(const Warp& warp) {
  for (auto& entry : barriers_)
    if (entry.second.owner == warp.index_in_cluster()) entry.second.visible = true;
  if (WarpClocks* clocks = block_.cluster().clocks()) clocks->settle(warp.index_in_cluster());
}

void TransactionBarriers::complete_if_due(const Warp& warp, uint32_t offset, Barrier& b) {
  if (b.missing > 0) return;  // bytes may have landed that an arrival is still to announce
  if (b.bytes < 0) warp.fail(Fault::kLaunchFailed, name(offset) + ": more bytes than announced");
  if (b.bytes > 0) return;
  b.missing = b.expected;
  b.phase ^= 1;
  b.over = b.arrived;
  fruitless_ = 0;
}

void TransactionBarriers::arrive(Warp& warp, uint32_t offset, const Arrival& arrival) {
  Barrier& b = at(warp, offset);
  if (arrival.arrivals > b.missing)
    warp.fail(Fault::kLaunchFailed, name(offset) + ": more arrivals than the phase has");
  b.bytes += static_cast<int64_t>(arrival.bytes);
  if (b.bytes > kMostBytes) warp.fail(Fault::kLaunchFailed, name(offset) + ": too many bytes announced");
  b.missing -= arrival.arrivals;
  if (WarpClocks* clocks = block_.cluster().clocks()) {
    if (arrival.releases)
      clocks->release(warp.index_in_cluster(), b.arrived);
    else
      clocks->release_settled(warp.index_in_cluster(), b.arrived);
  }
  fruitless_ = 0;
  complete_if_due(warp, offset, b);
}

bool TransactionBarriers::is_over(Warp& warp, uint32_t offset, uint32_t parity) {
  Barrier& b = at(warp, offset);
  if (b.phase != (parity & 1)) {
    if (WarpClocks* clocks = block_.cluster().clocks()) clocks->acquire(warp.index_in_cluster(), b.over);
    fruitless_ = 0;
    return true;
  }
  if (b.missing == 0 && land_one(warp, offset)) fruitless_ = 0;
  if (++fruitless_ > kHopeless)
    warp.fail(Fault::kLaunchFailed, "deadlock: " + name(offset) + " misses " + std::to_string(b.missing) +
                                        " arrivals and " + std::to_string(b.bytes) + " bytes" +
                                        block_.cluster().describe_waiting());
  return false;
}

void TransactionBarriers::copy(Warp& warp, uint32_t barrier, const TensorBox& box) {
  if (!at(warp, barrier).visible)
    warp.fail(Fault::kLaunchFailed, name(barrier) + " was not fenced for copies");
  const Allocation* hint = nullptr;
  for_each_chunk(box, [&](uint32_t shared, uint64_t global, bool inside) {
    shared_pointer(warp, shared, kChunk, kChunk);
    if (inside) {
      global_pointer(warp, global, kChunk, kChunk, &hint);
      if (hint->shadow) touch_global(warp, *hint, global, kChunk, Access::kRead);
    }
    if (SharedShadow* shadow = block_.shadow())
      report(warp, shadow->begin_copy(warp.index_in_cluster(), shared, kChunk, warp.instruction()));
    std::memset(block_.shared() + shared, 0xff, kChunk);
  });
  copies_.push_back({barrier, warp.index_in_cluster(), box});
  if (warp.launch().options.early) land_one(warp, barrier);
}

// Lands the latest copy to this barrier, since no program may rely on the order of copies.
bool TransactionBarriers::land_one(Warp& warp, uint32_t barrier) {
  size_t i = copies_.size();
  while (i > 0 && copies_[i - 1].barrier != barrier) i--;
  if (i == 0) return false;
  const Copy copy = copies_[i - 1];
  copies_.erase(copies_.begin() + static_cast<ptrdiff_t>(i) - 1);
  Barrier& b = barriers_[barrier];
  for_each_chunk(copy.box, [&](uint32_t shared, uint64_t global, bool inside) {
    uint8_t* to = block_.shared() + shared;
    if (inside)
      std::memcpy(to, reinterpret_cast<const void*>(global), kChunk);
    else
      std::memset(to, 0, kChunk);
    if (SharedShadow* shadow = block_.shadow()) shadow->end_copy(copy.warp, shared, kChunk);
  });
  if (WarpClocks* clocks = block_.cluster().clocks()) clocks->release(copy.warp, b.arrived);
  b.bytes -= static_cast<int64_t>(copy.box.bytes());
  if (b.bytes < -kMostBytes)
    warp.fail(Fault::kLaunchFailed, name(barrier) + ": too many bytes before they are announced");
  complete_if_due(warp, barrier, b);
  return true;
}

}  // namespace infcl::emulator
