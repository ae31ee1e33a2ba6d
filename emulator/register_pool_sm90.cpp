#include "register_pool_sm90.h"

#include "block.h"

namespace infcl::emulator {
namespace {

constexpr uint32_t kOfLane = 65536 / kWarpSize;  // that a multiprocessor has, for one lane of each warp
constexpr uint32_t kUnit = 8;
constexpr uint64_t kHopeless = 1 << 20;

}  // namespace

void RegisterPool::reset(size_t warps) {
  held_.assign(warps, kOfLane / static_cast<uint32_t>(warps) / kUnit * kUnit);
  free_ = 0;
  fruitless_ = 0;
}

void RegisterPool::give(Warp& warp, uint32_t registers) {
  uint32_t& held = held_[warp.index()];
  if (registers > held)
    warp.fail(Fault::kLaunchFailed,
              "setmaxnreg.dec to " + std::to_string(registers) + " registers from " + std::to_string(held));
  free_ += held - registers;
  held = registers;
  fruitless_ = 0;
}

bool RegisterPool::take(Warp& warp, uint32_t registers) {
  uint32_t& held = held_[warp.index()];
  if (registers < held)
    warp.fail(Fault::kLaunchFailed,
              "setmaxnreg.inc to " + std::to_string(registers) + " registers from " + std::to_string(held));
  if (registers - held > free_) {
    if (++fruitless_ > kHopeless)
      warp.fail(Fault::kLaunchFailed, "deadlock: setmaxnreg.inc waits for registers that nobody gives" +
                                          warp.block().describe_waiting());
    return false;
  }
  free_ -= registers - held;
  held = registers;
  fruitless_ = 0;
  return true;
}

}  // namespace infcl::emulator
