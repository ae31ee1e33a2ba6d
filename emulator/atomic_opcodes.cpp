// atom and red. Lanes go in order, so sums are the same every time; a kernel may not rely on any order.
#include <algorithm>

#include "instruction_builder.h"
#include "memory.h"

namespace infcl::emulator {
namespace {

enum Operation : uint8_t {
  kAdd,
  kMin,
  kMax,
  kExchange,
  kAnd,
  kOr,
  kXor,
  kIncrement,
  kDecrement,
  kCompareAndSwap
};

template <class T>
T combine(uint8_t operation, T old, T a, T b) {
  switch (operation) {
    case kAdd:
      if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(old) +
                              static_cast<std::make_unsigned_t<T>>(a));
      else
        return old + a;
    case kMin:
      return std::min(old, a);
    case kMax:
      return std::max(old, a);
    case kExchange:
      return a;
    case kCompareAndSwap:
      return old == a ? b : old;
    default:
      break;
  }
  if constexpr (std::is_integral_v<T>) {
    switch (operation) {
      case kAnd:
        return old & a;
      case kOr:
        return old | a;
      case kXor:
        return old ^ a;
      case kIncrement:
        return old >= a ? T{0} : static_cast<T>(old + 1);
      case kDecrement:
        return old == 0 || old > a ? a : static_cast<T>(old - 1);
      default:
        break;
    }
  }
  return old;
}

// operands: destination (none for red), address, a, b (of cas)
template <class T>
void atomic(Warp& warp, const Instruction& in, uint32_t mask) {
  LaneAddresses addresses = read_addresses(warp, in, in.operands[1], mask);
  LanePointers p = resolve(warp, in, in.space, addresses, sizeof(T), Access::kAtomic, mask);
  const T* a = warp.lanes<T>(in.operands[2]);
  const T* b = in.variant == kCompareAndSwap ? warp.lanes<T>(in.operands[3]) : a;
  T* d = in.operands[0] == kNoRegister ? nullptr : warp.lanes<T>(in.operands[0]);
  for (uint32_t m = mask; m; m &= m - 1) {
    const int lane = __builtin_ctz(m);
    T old;
    std::memcpy(&old, p.at[lane], sizeof old);
    T now = combine(in.variant, old, a[lane], b[lane]);
    std::memcpy(p.at[lane], &now, sizeof now);
    if (d) d[lane] = old;
  }
  warp.statistics().atomics += static_cast<uint64_t>(__builtin_popcount(mask));
}

Execute pick(Type type) {
  switch (type) {
    case Type::kS32:
      return atomic<int32_t>;
    case Type::kU32:
    case Type::kB32:
      return atomic<uint32_t>;
    case Type::kS64:
      return atomic<int64_t>;
    case Type::kU64:
    case Type::kB64:
      return atomic<uint64_t>;
    case Type::kF32:
      return atomic<float>;
    case Type::kF64:
      return atomic<double>;
    default:
      return nullptr;
  }
}

void decode_atomic(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  const bool returns = b.opcode() == "atom";
  b.take_one_of({"relaxed", "acquire", "release", "acq_rel"});
  b.take_one_of({"cta", "cluster", "gpu", "sys"});
  in.space = b.take("global")                            ? Space::kGlobal
             : b.take("shared") || b.take("shared::cta") ? Space::kShared
                                                         : Space::kGeneric;
  in.variant = static_cast<uint8_t>(
      b.require_one_of({"add", "min", "max", "exch", "and", "or", "xor", "inc", "dec", "cas"}));
  Type type = b.take_type();
  if (is_float(type) && in.variant != kAdd) b.fail("operation on floats");
  if ((in.variant == kIncrement || in.variant == kDecrement) && type != Type::kU32) b.fail("type");
  size_t i = 0;
  if (returns)
    b.destination(i++, type);
  else
    b.unused_operand();
  b.address(i++);
  b.source(i++, type);
  if (in.variant == kCompareAndSwap) b.source(i++, type);
  if (i != b.operand_count()) b.fail("operand count");
  in.execute = pick(type);
  if (!in.execute) b.fail("type");
}

}  // namespace

void add_atomic_opcodes(DecodeTable& table) {
  table["atom"] = decode_atomic;
  table["red"] = decode_atomic;
}

}  // namespace infcl::emulator
