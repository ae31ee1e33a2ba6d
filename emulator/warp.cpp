#include "warp.h"

#include <algorithm>

#include "block.h"
#include "shared_window.h"

namespace infcl::emulator {
namespace {

constexpr size_t kRegisterAlignment = 64;

std::string lanes_text(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

}  // namespace

Warp::Warp(Block& block, uint32_t index)
    : block_(block),
      launch_(block.launch()),
      kernel_(launch_.kernel),
      index_(index),
      storage_(kernel_.register_bytes + kRegisterAlignment),
      local_(kernel_.local_bytes * kWarpSize) {
  auto base = reinterpret_cast<uintptr_t>(storage_.data());
  registers_ = storage_.data() + (kRegisterAlignment - base % kRegisterAlignment) % kRegisterAlignment;
}

uint32_t Warp::index_in_cluster() const { return block_.rank_in_cluster() * launch_.warps() + index_; }

void Warp::start() {
  std::memset(registers_, 0xff, kernel_.register_bytes);
  std::fill(local_.begin(), local_.end(), 0xff);
  for (const ConstantRegister& c : kernel_.constants) {
    if (c.width == 0) predicate(c.offset) = static_cast<uint32_t>(c.bits);
    const uint64_t bits = c.bits + (c.in_shared_window ? shared_window(block_.rank_in_cluster()) : 0);
    for (int lane = 0; lane < kWarpSize; lane++)
      std::memcpy(registers_ + c.offset + lane * c.width, &bits, c.width);
  }
  fill_specials();
  copies_.reset();
  products_.reset();
  uint32_t threads = std::min<uint32_t>(launch_.threads() - index_ * kWarpSize, kWarpSize);
  alive_ = threads == kWarpSize ? kFullMask : (1u << threads) - 1;
  parked_ = 0;
  pc_ = 0;
  converged_ = true;
  second_look_ = yield_ = retry_ = false;
  for (auto& stack : returns_) stack.clear();
}

std::string Warp::where() const {
  return kernel_.describe(executing_) + " (lanes " + lanes_text(active_) + ")";
}

Warp::Stop Warp::run(uint64_t budget) {
  try {
    while (budget-- > 0)
      if (!step()) return stop_;
    return Stop::kSliceEnd;
  } catch (const EmulatorError& e) {
    const uint32_t(&b)[3] = block_.index();
    throw EmulatorError(e.fault(), std::string(e.what()) + "\n  kernel " + kernel_.name + ", block (" +
                                       std::to_string(b[0]) + ", " + std::to_string(b[1]) + ", " +
                                       std::to_string(b[2]) + "), warp " + std::to_string(index_) + ", at " +
                                       where());
  }
}

bool Warp::step() {
  select();
  executing_ = pc_;
  const Instruction& in = kernel_.code[executing_];
  uint32_t mask = active_;
  if (in.guard != kNoRegister) mask &= in.guard_negated ? ~predicate(in.guard) : predicate(in.guard);
  statistics().warp_instructions++;
  if (active_ != alive_) statistics().divergent_instructions++;
  if (in.rendezvous != Rendezvous::kNone && mask && !meet(in, mask)) return true;
  if (in.control != Control::kNone) {
    step_control(in, mask);
    if (alive_ == 0) {
      stop_ = Stop::kExited;
      return false;
    }
    if (in.control == Control::kBarrier && mask && arrive_at_barrier(in, mask)) return false;
    return true;
  }
  if (mask) in.execute(*this, in, mask);
  if (!retry_) advance(active_, pc_ + 1);
  if (!yield_ && !retry_) return true;
  yield_ = retry_ = false;
  stop_ = Stop::kSliceEnd;
  return false;
}

void Warp::step_control(const Instruction& in, uint32_t mask) {
  switch (in.control) {
    case Control::kBranch:
      return branch(mask, static_cast<uint32_t>(in.target));
    case Control::kBranchIndexed: {
      const auto& table = kernel_.branch_tables[static_cast<size_t>(in.target)];
      const uint32_t* index = lanes<uint32_t>(in.operands[0]);
      uint32_t pc = pc_;
      uint32_t active = active_;
      advance(active, pc + 1);
      for (uint32_t m = mask; m; m &= m - 1) {
        int lane = __builtin_ctz(m);
        if (index[lane] >= table.size()) fail(Fault::kLaunchFailed, "branch index past its table");
        advance(1u << lane, static_cast<uint32_t>(table[index[lane]]));
      }
      return;
    }
    case Control::kCall:
      return call(in, mask);
    case Control::kReturn:
      return return_lanes(mask);
    case Control::kExit:
      return exit_lanes(mask);
    case Control::kTrap:
      if (mask) fail(Fault::kIllegalInstruction, "trap");
      [[fallthrough]];
    default:
      advance(active_, pc_ + 1);
  }
}

bool Warp::arrive_at_barrier(const Instruction& in, uint32_t mask) {
  const uint32_t lane = static_cast<uint32_t>(__builtin_ctz(mask));
  arrival_.id = lanes<uint32_t>(in.operands[0])[lane];
  arrival_.threads = in.operands[1] == kNoRegister ? 0 : lanes<uint32_t>(in.operands[1])[lane];
  arrival_.kind = static_cast<BarrierKind>(in.variant);
  arrival_.mask = mask;
  arrival_.instruction = executing_;
  arrival_.predicate = 0;
  if (in.operands.size() > 2) {
    arrival_.result = in.operands[2];
    arrival_.predicate = in.negate_predicate ? ~predicate(in.operands[3]) : predicate(in.operands[3]);
  }
  statistics().barriers++;
  block_.arrive(*this);
  if (arrival_.kind == BarrierKind::kArrive) return false;
  stop_ = Stop::kBarrier;
  return true;
}

void Warp::finish_barrier(uint32_t reduced) {
  if (arrival_.kind == BarrierKind::kPopc) {
    uint32_t* d = lanes<uint32_t>(arrival_.result);
    for_each_lane(arrival_.mask, [=](int lane) { d[lane] = reduced; });
  } else if (arrival_.kind == BarrierKind::kAnd || arrival_.kind == BarrierKind::kOr) {
    uint32_t& d = predicate(arrival_.result);
    d = reduced ? d | arrival_.mask : d & ~arrival_.mask;
  }
}

}  // namespace infcl::emulator
