// Warp: program counters of lanes, divergence and meeting points, calls, special registers.
#include <algorithm>

#include "block.h"
#include "warp.h"

namespace infcl::emulator {

// Sets pc_ and active_: the living lanes that do not wait, at their smallest program counter.
void Warp::select() {
  if (converged_) {
    active_ = alive_;
    return;
  }
  uint32_t candidates = alive_ & ~parked_;
  if (candidates == 0) {
    if (second_look_) fail_diverged();
    second_look_ = true;
    parked_ = 0;
    candidates = alive_;
  }
  uint32_t smallest = 0xffffffffu;
  for (uint32_t m = candidates; m; m &= m - 1) smallest = std::min(smallest, lane_pc_[__builtin_ctz(m)]);
  uint32_t here = 0;
  for (uint32_t lane = 0; lane < kWarpSize; lane++) here |= uint32_t{lane_pc_[lane] == smallest} << lane;
  pc_ = smallest;
  active_ = here & candidates;
  if (active_ == alive_) converged_ = true;
}

void Warp::advance(uint32_t lanes, uint32_t to) {
  if (converged_ && lanes == alive_) {
    pc_ = to;
    return;
  }
  if (converged_) {
    std::fill(lane_pc_, lane_pc_ + kWarpSize, pc_);
    converged_ = false;
  }
  for (uint32_t m = lanes; m; m &= m - 1) lane_pc_[__builtin_ctz(m)] = to;
}

void Warp::branch(uint32_t taken, uint32_t to) {
  const uint32_t next = pc_ + 1, active = active_;
  if (taken == active) return advance(active, to);
  if (taken) advance(taken, to);
  advance(active & ~taken, next);
}

// Whether all that must meet have: `mask` then becomes those who execute together, and active_ with them.
bool Warp::meet(const Instruction& in, uint32_t& mask) {
  uint32_t need = kFullMask;
  if (in.rendezvous == Rendezvous::kAllAlive) need = alive_;
  if (in.rendezvous == Rendezvous::kMembers) {
    const uint32_t* members = lanes<uint32_t>(in.operands.back());
    const int first = __builtin_ctz(mask);
    need = members[first];
    if (!(need >> first & 1)) fail(Fault::kLaunchFailed, "a lane outside of its own member mask");
    uint32_t same = 0;
    for (uint32_t m = mask; m; m &= m - 1)
      if (members[__builtin_ctz(m)] == need) same |= m & (0u - m);
    if (same != mask) {  // several groups: one at a time
      advance(active_ & ~mask, pc_ + 1);
      active_ = mask = same;
    }
  }
  if ((need & ~mask) == 0 && (mask & ~need) == 0) {
    second_look_ = false;
    return true;
  }
  if (need & ~alive_) fail(Fault::kLaunchFailed, "divergence: waits for lanes that have exited");
  uint32_t here = mask;
  if (!converged_)
    for (uint32_t m = parked_; m; m &= m - 1)
      if (lane_pc_[__builtin_ctz(m)] == pc_) here |= m & (0u - m);
  if ((need & ~here) == 0) {
    second_look_ = false;
    parked_ &= ~need;
    active_ = (active_ & ~mask) | need;
    mask = need;
    return true;
  }
  const uint32_t pc = pc_;
  const uint32_t passing = active_ & ~mask;
  if (converged_) {
    std::fill(lane_pc_, lane_pc_ + kWarpSize, pc);
    converged_ = false;
  }
  for (uint32_t m = passing; m; m &= m - 1) lane_pc_[__builtin_ctz(m)] = pc + 1;
  parked_ |= mask;
  return false;
}

void Warp::fail_diverged() const {
  std::string what = "divergence: lanes wait for each other in different places:";
  for (uint32_t rest = alive_; rest;) {
    uint32_t pc = lane_pc_[__builtin_ctz(rest)], here = 0;
    for (uint32_t m = rest; m; m &= m - 1)
      if (lane_pc_[__builtin_ctz(m)] == pc) here |= m & (0u - m);
    char mask[16];
    std::snprintf(mask, sizeof mask, "0x%08x", here);
    what += std::string("\n  lanes ") + mask + " at " + kernel_.describe(pc);
    rest &= ~here;
  }
  throw EmulatorError(Fault::kLaunchFailed, what);
}

void Warp::exit_lanes(uint32_t mask) {
  advance(active_, pc_ + 1);
  alive_ &= ~mask;
  if (alive_ == 0 && !copies_.idle()) copies_.wait_all(*this, kFullMask);
  if (alive_ == 0 && !products_.idle()) fail(Fault::kLaunchFailed, "exits while wgmma is under way");
  if (alive_ == 0 && block_.has_exited()) block_.check_visits(*this);
}

void Warp::copy_parameters(const std::vector<ParameterCopy>& copies, uint32_t lane) {
  for (const ParameterCopy& c : copies) std::memcpy(local(lane) + c.to, local(lane) + c.from, c.bytes);
}

void Warp::call(const Instruction& in, uint32_t mask) {
  const auto copies = static_cast<size_t>(in.immediate);
  const uint32_t pc = pc_;
  for (uint32_t m = mask; m; m &= m - 1) {
    auto lane = static_cast<uint32_t>(__builtin_ctz(m));
    for (const auto& frame : returns_[lane])
      if (kernel_.code[frame.first].target == in.target)
        fail(Fault::kLaunchFailed, "recursion is not modelled");
    copy_parameters(kernel_.call_copies[copies], lane);
    returns_[lane].emplace_back(pc, static_cast<uint32_t>(copies));
  }
  branch(mask, static_cast<uint32_t>(in.target));
}

void Warp::return_lanes(uint32_t mask) {
  const uint32_t active = active_;
  advance(active, pc_ + 1);
  for (uint32_t m = mask; m; m &= m - 1) {
    auto lane = static_cast<uint32_t>(__builtin_ctz(m));
    auto [from, copies] = returns_[lane].back();
    returns_[lane].pop_back();
    copy_parameters(kernel_.return_copies[copies], lane);
    advance(1u << lane, from + 1);
  }
}

namespace {

using S = SpecialRegister;

uint32_t lanemask(S which, uint32_t lane) {
  const uint32_t equal = 1u << lane, less = equal - 1;
  switch (which) {
    case S::kLanemaskEq:
      return equal;
    case S::kLanemaskLt:
      return less;
    case S::kLanemaskLe:
      return less | equal;
    case S::kLanemaskGt:
      return ~(less | equal);
    default:
      return ~less;
  }
}

// Three consecutive registers are the x, y and z of one thing.
uint32_t vector_register(Block& block, S first, int d) {
  const Launch& launch = block.launch();
  const uint32_t(&cluster)[3] = launch.kernel.cluster;
  switch (first) {
    case S::kCtaidX:
      return block.index()[d];
    case S::kNtidX:
      return launch.block[d];
    case S::kNctaidX:
      return launch.grid[d];
    case S::kClusterCtaidX:
      return block.index()[d] % cluster[d];
    case S::kClusterNctaidX:
      return cluster[d];
    case S::kClusteridX:
      return block.index()[d] / cluster[d];
    default:
      return launch.grid[d] / cluster[d];
  }
}

uint32_t block_register(Block& block, S which) {
  for (S first : {S::kCtaidX, S::kNtidX, S::kNctaidX, S::kClusterCtaidX, S::kClusterNctaidX, S::kClusteridX,
                  S::kNclusteridX}) {
    int d = static_cast<int>(which) - static_cast<int>(first);
    if (d >= 0 && d < 3) return vector_register(block, first, d);
  }
  const Launch& launch = block.launch();
  const uint32_t(&c)[3] = launch.kernel.cluster;
  switch (which) {
    case S::kWarpCount:
      return static_cast<uint32_t>(block.warps().size());
    case S::kDynamicSharedSize:
      return static_cast<uint32_t>(launch.dynamic_shared_bytes);
    case S::kTotalSharedSize:
      return static_cast<uint32_t>(launch.shared_bytes());
    case S::kClusterCtaRank:
      return block.rank_in_cluster();
    case S::kClusterNctaRank:
      return c[0] * c[1] * c[2];
    default:  // %smid, %gridid
      return 0;
  }
}

}  // namespace

void Warp::fill_specials() {
  for (const SpecialSlot& slot : kernel_.specials) {
    uint32_t* d = lanes<uint32_t>(slot.offset);
    const uint32_t of_block = block_register(block_, slot.which);
    for (uint32_t lane = 0; lane < kWarpSize; lane++) {
      const uint32_t thread = index_ * kWarpSize + lane;
      if (slot.which == S::kTidX)
        d[lane] = thread % launch_.block[0];
      else if (slot.which == S::kTidY)
        d[lane] = thread / launch_.block[0] % launch_.block[1];
      else if (slot.which == S::kTidZ)
        d[lane] = thread / launch_.block[0] / launch_.block[1];
      else if (slot.which == S::kLaneId)
        d[lane] = lane;
      else if (slot.which == S::kWarpId)
        d[lane] = index_;
      else if (slot.which >= S::kLanemaskEq && slot.which <= S::kLanemaskGe)
        d[lane] = lanemask(slot.which, lane);
      else
        d[lane] = of_block;
    }
  }
}

}  // namespace infcl::emulator
