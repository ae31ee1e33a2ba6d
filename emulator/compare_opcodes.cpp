// setp, selp, testp.
#include <cmath>

#include "half.h"
#include "instruction_builder.h"
#include "lane_operations.h"

namespace infcl::emulator {
namespace {

// In the order of kComparisons below.
enum Comparison : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kEqu, kNeu, kLtu, kLeu, kGtu, kGeu, kNum, kNan };
enum Combination : uint8_t { kAlone, kAnd, kOr, kXor };

template <Comparison kComparison, class T>
inline bool compare(T a, T b) {
  const bool unordered = a != a || b != b;
  switch (kComparison) {
    case kEq:
      return a == b;
    case kNe:
      return a != b && !unordered;
    case kLt:
      return a < b;
    case kLe:
      return a <= b;
    case kGt:
      return a > b;
    case kGe:
      return a >= b;
    case kEqu:
      return a == b || unordered;
    case kNeu:
      return a != b;
    case kLtu:
      return !(a >= b);
    case kLeu:
      return !(a > b);
    case kGtu:
      return !(a <= b);
    case kGeu:
      return !(a < b);
    case kNum:
      return !unordered;
    case kNan:
      return unordered;
  }
}

template <class T>
inline T flushed(T x, bool flush) {
  if constexpr (std::is_floating_point_v<T>)
    if (flush && std::fabs(x) < std::numeric_limits<T>::min()) return std::copysign(T{0}, x);
  return x;
}

template <Comparison kComparison, class T>
void set_predicate(Warp& warp, const Instruction& in, uint32_t mask) {
  const T *a = warp.lanes<T>(in.operands[2]), *b = warp.lanes<T>(in.operands[3]);
  uint32_t result = 0;
  for (int lane = 0; lane < kWarpSize; lane++)
    result |= uint32_t{compare<kComparison>(flushed(a[lane], in.flush), flushed(b[lane], in.flush))} << lane;
  uint32_t opposite = ~result;
  if (in.combine != kAlone) {
    uint32_t c = warp.predicate(in.operands[4]);
    if (in.negate_predicate) c = ~c;
    auto combined = [&](uint32_t r) {
      return in.combine == kAnd ? r & c : in.combine == kOr ? r | c : r ^ c;
    };
    result = combined(result);
    opposite = combined(opposite);
  }
  uint32_t& d = warp.predicate(in.operands[0]);
  d = (d & ~mask) | (result & mask);
  if (in.operands[1] == kNoRegister) return;
  uint32_t& e = warp.predicate(in.operands[1]);
  e = (e & ~mask) | (opposite & mask);
}

template <class T>
Execute pick_comparison(uint8_t comparison) {
  static constexpr Execute table[] = {set_predicate<kEq, T>,  set_predicate<kNe, T>,  set_predicate<kLt, T>,
                                      set_predicate<kLe, T>,  set_predicate<kGt, T>,  set_predicate<kGe, T>,
                                      set_predicate<kEqu, T>, set_predicate<kNeu, T>, set_predicate<kLtu, T>,
                                      set_predicate<kLeu, T>, set_predicate<kGtu, T>, set_predicate<kGeu, T>,
                                      set_predicate<kNum, T>, set_predicate<kNan, T>};
  return table[comparison];
}

Execute pick_comparison(Type type, uint8_t comparison) {
  switch (type) {
    case Type::kF32:
      return pick_comparison<float>(comparison);
    case Type::kF64:
      return pick_comparison<double>(comparison);
    case Type::kS16:
      return pick_comparison<int16_t>(comparison);
    case Type::kU16:
    case Type::kB16:
      return pick_comparison<uint16_t>(comparison);
    case Type::kS32:
      return pick_comparison<int32_t>(comparison);
    case Type::kU32:
    case Type::kB32:
      return pick_comparison<uint32_t>(comparison);
    case Type::kS64:
      return pick_comparison<int64_t>(comparison);
    case Type::kU64:
    case Type::kB64:
      return pick_comparison<uint64_t>(comparison);
    default:
      return nullptr;
  }
}

uint8_t take_comparison(InstructionBuilder& b, Type type) {
  int c = b.take_one_of(
      {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"});
  if (c >= 0) {
    if (c >= kEqu && !is_float(type)) b.fail("comparison of floats only");
    return static_cast<uint8_t>(c);
  }
  constexpr uint8_t kUnsignedNames[] = {kLt, kLe, kGt, kGe};
  if (is_signed(type)) b.fail("comparison of unsigned integers only");
  return kUnsignedNames[b.require_one_of({"lo", "ls", "hi", "hs"})];
}

void decode_setp(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  Type type = b.take_type();
  in.variant = take_comparison(b, type);
  in.combine = static_cast<uint8_t>(b.take_one_of({"and", "or", "xor"}) + 1);
  in.flush = b.take("ftz");
  if (b.syntax(0).kind == OperandSyntax::Kind::kPair) {
    for (const OperandSyntax& p : b.syntax(0).items)
      in.operands.push_back(b.destination_register(p, Type::kPred));
  } else {
    b.destination_predicate(0);
    b.unused_operand();
  }
  b.source(1, type);
  b.source(2, type);
  if (in.combine != kAlone) in.negate_predicate = b.source_predicate(3);
  in.execute = pick_comparison(type, in.variant);
  if (!in.execute) b.fail("type");
}

template <class T>
void select_by_predicate(Warp& warp, const Instruction& in, uint32_t mask) {
  T* d = warp.lanes<T>(in.operands[0]);
  const T *a = warp.lanes<T>(in.operands[1]), *b = warp.lanes<T>(in.operands[2]);
  const uint32_t p = warp.predicate(in.operands[3]);
  for_each_lane(mask, [=](int lane) { d[lane] = p >> lane & 1 ? a[lane] : b[lane]; });
}

void decode_selp(InstructionBuilder& b) {
  Type type = b.take_type();
  b.destination(0, type);
  b.source(1, type);
  b.source(2, type);
  if (b.source_predicate(3)) b.fail("negated predicate");
  b.instruction.execute = type_bytes(type) == 2   ? select_by_predicate<uint16_t>
                          : type_bytes(type) == 4 ? select_by_predicate<uint32_t>
                                                  : select_by_predicate<uint64_t>;
}

template <class T>
void test_property(Warp& warp, const Instruction& in, uint32_t mask) {
  const T* a = warp.lanes<T>(in.operands[1]);
  uint32_t result = 0;
  for (int lane = 0; lane < kWarpSize; lane++) {
    T x = a[lane];
    const bool answers[] = {std::isfinite(x), std::isinf(x),    x == x,
                            x != x,           std::isnormal(x), std::fpclassify(x) == FP_SUBNORMAL};
    result |= uint32_t{answers[in.variant]} << lane;
  }
  uint32_t& d = warp.predicate(in.operands[0]);
  d = (d & ~mask) | (result & mask);
}

void decode_testp(InstructionBuilder& b) {
  Type type = b.take_type();
  b.instruction.variant = static_cast<uint8_t>(
      b.require_one_of({"finite", "infinite", "number", "notanumber", "normal", "subnormal"}));
  b.destination_predicate(0);
  b.source(1, type);
  b.instruction.execute = type == Type::kF32   ? test_property<float>
                          : type == Type::kF64 ? test_property<double>
                                               : nullptr;
  if (!b.instruction.execute) b.fail("type");
}

}  // namespace

void add_compare_opcodes(DecodeTable& table) {
  table["setp"] = decode_setp;
  table["selp"] = decode_selp;
  table["testp"] = decode_testp;
}

}  // namespace infcl::emulator
