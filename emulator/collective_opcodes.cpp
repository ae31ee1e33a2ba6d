// Lanes of a warp talking: shfl.sync, vote.sync, match.sync, redux.sync, activemask.
#include <algorithm>

#include "instruction_builder.h"
#include "warp.h"

namespace infcl::emulator {
namespace {

enum ShuffleMode : uint8_t { kUp, kDown, kButterfly, kIndexed };

// operands: destination, in-range predicate, value, lane or distance, clamp and segment, members
void shuffle(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
  const uint32_t* b = warp.lanes<uint32_t>(in.operands[3]);
  const uint32_t* c = warp.lanes<uint32_t>(in.operands[4]);
  uint32_t value[kWarpSize];
  std::memcpy(value, warp.lanes<uint32_t>(in.operands[2]), sizeof value);
  uint32_t in_range = 0;
  for_each_lane(mask, [&](int lane) {
    const int distance = static_cast<int>(b[lane] & 31);
    const int clamp = static_cast<int>(c[lane] & 31), segment = static_cast<int>(c[lane] >> 8 & 31);
    const int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
    int from = 0;
    bool valid = false;
    switch (in.variant) {
      case kUp:
        from = lane - distance;
        valid = from >= last;
        break;
      case kDown:
        from = lane + distance;
        valid = from <= last;
        break;
      case kButterfly:
        from = lane ^ distance;
        valid = from <= last;
        break;
      default:
        from = first | (distance & ~segment);
        valid = from <= last;
    }
    if (!valid) from = lane;
    if (!(mask >> from & 1)) warp.fail(Fault::kLaunchFailed, "shuffle from a lane that takes no part");
    in_range |= uint32_t{valid} << lane;
    d[lane] = value[from];
  });
  if (in.operands[1] == kNoRegister) return;
  uint32_t& p = warp.predicate(in.operands[1]);
  p = (p & ~mask) | in_range;
}

void decode_shuffle(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("sync");
  b.require("b32");
  in.variant = static_cast<uint8_t>(b.require_one_of({"up", "down", "bfly", "idx"}));
  const OperandSyntax& d = b.syntax(0);
  if (d.kind == OperandSyntax::Kind::kPair) {
    in.operands.push_back(b.destination_register(d.items[0], Type::kB32));
    in.operands.push_back(b.destination_register(d.items[1], Type::kPred));
  } else {
    b.destination(0, Type::kB32);
    b.unused_operand();
  }
  for (size_t i = 1; i <= 4; i++) b.source(i, Type::kB32);
  in.rendezvous = Rendezvous::kMembers;
  in.execute = shuffle;
}

enum VoteMode : uint8_t { kAll, kAny, kUniform, kBallot };

void vote(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t p = warp.predicate(in.operands[1]);
  if (in.negate_predicate) p = ~p;
  p &= mask;
  if (in.variant == kBallot) {
    uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
    for_each_lane(mask, [=](int lane) { d[lane] = p; });
    return;
  }
  const bool answer = in.variant == kAll ? p == mask : in.variant == kAny ? p != 0 : p == 0 || p == mask;
  uint32_t& d = warp.predicate(in.operands[0]);
  d = answer ? d | mask : d & ~mask;
}

void decode_vote(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("sync");
  in.variant = static_cast<uint8_t>(b.require_one_of({"all", "any", "uni", "ballot"}));
  b.require(in.variant == kBallot ? "b32" : "pred");
  b.destination(0, in.variant == kBallot ? Type::kB32 : Type::kPred);
  in.negate_predicate = b.source_predicate(1);
  b.source(2, Type::kB32);
  in.rendezvous = Rendezvous::kMembers;
  in.execute = vote;
}

template <class T>
void match_any(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
  T value[kWarpSize];
  std::memcpy(value, warp.lanes<T>(in.operands[1]), sizeof value);
  for_each_lane(mask, [&](int lane) {
    uint32_t same = 0;
    for (uint32_t m = mask; m; m &= m - 1)
      if (value[__builtin_ctz(m)] == value[lane]) same |= m & (0u - m);
    d[lane] = same;
  });
}

void decode_match(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("any");
  b.require("sync");
  const bool wide = b.require_one_of({"b32", "b64"}) == 1;
  b.destination(0, Type::kB32);
  b.source(1, wide ? Type::kB64 : Type::kB32);
  b.source(2, Type::kB32);
  in.rendezvous = Rendezvous::kMembers;
  in.execute = wide ? match_any<uint64_t> : match_any<uint32_t>;
}

template <class T>
T reduce(uint8_t operation, T a, T b) {
  switch (operation) {
    case 0:
      return static_cast<T>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
    case 1:
      return std::min(a, b);
    case 2:
      return std::max(a, b);
    case 3:
      return a & b;
    case 4:
      return a | b;
    default:
      return a ^ b;
  }
}

template <class T>
void reduce_lanes(Warp& warp, const Instruction& in, uint32_t mask) {
  T* d = warp.lanes<T>(in.operands[0]);
  const T* a = warp.lanes<T>(in.operands[1]);
  T sum = a[__builtin_ctz(mask)];
  for (uint32_t m = mask & (mask - 1); m; m &= m - 1) sum = reduce(in.variant, sum, a[__builtin_ctz(m)]);
  for_each_lane(mask, [=](int lane) { d[lane] = sum; });
}

void decode_redux(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("sync");
  in.variant = static_cast<uint8_t>(b.require_one_of({"add", "min", "max", "and", "or", "xor"}));
  const bool sign = b.require_one_of({"s32", "u32", "b32"}) == 0;
  for (size_t i = 0; i < 3; i++) i == 0 ? b.destination(i, Type::kB32) : b.source(i, Type::kB32);
  in.rendezvous = Rendezvous::kMembers;
  in.execute = sign ? reduce_lanes<int32_t> : reduce_lanes<uint32_t>;
}

void decode_activemask(InstructionBuilder& b) {
  b.require("b32");
  b.destination(0, Type::kB32);
  b.instruction.execute = [](Warp& warp, const Instruction& in, uint32_t mask) {
    uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
    for_each_lane(mask, [=](int lane) { d[lane] = mask; });
  };
}

}  // namespace

void add_collective_opcodes(DecodeTable& table) {
  table["shfl"] = decode_shuffle;
  table["vote"] = decode_vote;
  table["match"] = decode_match;
  table["redux"] = decode_redux;
  table["activemask"] = decode_activemask;
}

}  // namespace infcl::emulator
