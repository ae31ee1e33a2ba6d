// Floating point: arithmetic of f32, f64 and the 16-bit types, and the approximations.
#include <cfenv>

#include "float_operations.h"
#include "instruction_builder.h"
#include "lane_operations.h"

namespace infcl::emulator {
namespace {

using namespace floats;

// Rounding in another direction than to nearest.
template <Execute kExecute>
void directed(Warp& warp, const Instruction& in, uint32_t mask) {
  constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  std::fesetround(kModes[in.variant]);
  kExecute(warp, in, mask);
  std::fesetround(FE_TONEAREST);
}

template <class Op, class T, int kSources>
constexpr Execute kLoop = kSources == 1   ? unary<Op, T, T>
                          : kSources == 2 ? binary<Op, T, T>
                                          : ternary<Op, T, T>;
template <class Op, class T>
constexpr Execute kLoop<Op, T, 1> = unary<Op, T, T>;
template <class Op, class T>
constexpr Execute kLoop<Op, T, 2> = binary<Op, T, T>;
template <class Op, class T>
constexpr Execute kLoop<Op, T, 3> = ternary<Op, T, T>;

template <class Op, class T, int kSources>
Execute pick_float(const Instruction& in) {
  Execute plain = kLoop<Op, T, kSources>;
  if (in.flush && in.saturate) return kLoop<Saturated<Flushed<Op>>, T, kSources>;
  if (in.flush) return kLoop<Flushed<Op>, T, kSources>;
  if (in.saturate) return kLoop<Saturated<Op>, T, kSources>;
  return plain;
}

template <class Op, int kSources>
Execute pick_half(Type type) {
  switch (type) {
    case Type::kF16:
      return kLoop<Half<AsFloat16, Op>, uint16_t, kSources>;
    case Type::kBF16:
      return kLoop<Half<AsBFloat16, Op>, uint16_t, kSources>;
    case Type::kF16x2:
      return kLoop<HalfPair<AsFloat16, Op>, uint32_t, kSources>;
    case Type::kBF16x2:
      return kLoop<HalfPair<AsBFloat16, Op>, uint32_t, kSources>;
    default:
      return nullptr;
  }
}

void take_operands(InstructionBuilder& b, Type type, int sources) {
  b.destination(0, type);
  for (int i = 1; i <= sources; i++) b.source(static_cast<size_t>(i), type);
}

template <class Op, int kSources>
void decode_float(InstructionBuilder& b, Type type) {
  Instruction& in = b.instruction;
  int rounding = b.take_one_of({"rn", "rz", "rm", "rp"});
  in.variant = static_cast<uint8_t>(rounding < 0 ? 0 : rounding);
  in.flush = b.take("ftz");
  in.saturate = b.take("sat");
  take_operands(b, type, kSources);
  if (type == Type::kF32 || type == Type::kF64) {
    in.execute =
        type == Type::kF32 ? pick_float<Op, float, kSources>(in) : pick_float<Op, double, kSources>(in);
    if (in.variant == 0) return;
    if (in.flush || in.saturate) b.fail("directed rounding with .ftz or .sat");
    in.execute =
        type == Type::kF32 ? directed<kLoop<Op, float, kSources>> : directed<kLoop<Op, double, kSources>>;
    return;
  }
  if (in.flush || in.saturate || in.variant) b.fail("modifiers of a 16-bit type");
  in.execute = pick_half<Op, kSources>(type);
}

template <class Op>
void decode_extremum(InstructionBuilder& b, Type type) {
  return b.take("NaN") ? decode_float<PropagateNan<Op>, 2>(b, type) : decode_float<Op, 2>(b, type);
}

void decode_division(InstructionBuilder& b, Type type) {
  if (type == Type::kF32 && b.take_one_of({"approx", "full"}) >= 0) return decode_float<Divide, 2>(b, type);
  if (!b.has("rn")) b.fail("rounding of a division");
  decode_float<Divide, 2>(b, type);
}

// rcp, sqrt: correctly rounded or approximate; rsqrt: approximate.
template <class Op>
void decode_root(InstructionBuilder& b) {
  Type type = b.take_type();
  if (!b.take("approx") && !b.has("rn")) b.fail("rounding");
  if (type != Type::kF32 && type != Type::kF64) b.fail("type");
  decode_float<Op, 1>(b, type);
}

void decode_reciprocal(InstructionBuilder& b) {
  if (!b.has("approx") || !b.has("f64")) return decode_root<Reciprocal>(b);
  b.take("approx");
  b.require("ftz");
  take_operands(b, b.take_type(), 1);
  b.instruction.execute = unary<Flushed<ReciprocalOfUpperHalf>, double, double>;
}

template <class Op>
void decode_approximation(InstructionBuilder& b) {
  b.require("approx");
  Type type = b.take_type();
  if (type != Type::kF32) b.fail("type");
  decode_float<Op, 1>(b, type);
}

template <Execute kExecute>
void counted_exp2(Warp& warp, const Instruction& in, uint32_t mask) {
  warp.statistics().ex2 += static_cast<uint64_t>(__builtin_popcount(mask));
  kExecute(warp, in, mask);
}

void decode_exp2(InstructionBuilder& b) {
  decode_approximation<Exp2>(b);
  b.instruction.execute = b.instruction.flush ? counted_exp2<unary<Flushed<Exp2>, float, float>>
                                              : counted_exp2<unary<Exp2, float, float>>;
  if (b.instruction.saturate) b.fail("saturation");
}

void decode_copysign(InstructionBuilder& b) {
  Type type = b.take_type();
  take_operands(b, type, 2);
  b.instruction.execute = type == Type::kF32   ? binary<CopySign, float, float>
                          : type == Type::kF64 ? binary<CopySign, double, double>
                                               : nullptr;
  if (!b.instruction.execute) b.fail("type");
}

}  // namespace

void decode_float_arithmetic(InstructionBuilder& b, Type type) {
  const std::string& opcode = b.opcode();
  if (opcode == "add") return decode_float<Add, 2>(b, type);
  if (opcode == "sub") return decode_float<Subtract, 2>(b, type);
  if (opcode == "mul") return decode_float<Multiply, 2>(b, type);
  if (opcode == "fma" || opcode == "mad") {
    if (!b.has("rn") && !b.has("rz") && !b.has("rm") && !b.has("rp")) b.fail("rounding of fma");
    return decode_float<FusedMultiplyAdd, 3>(b, type);
  }
  if (opcode == "div") return decode_division(b, type);
  if (opcode == "min") return decode_extremum<Minimum>(b, type);
  if (opcode == "max") return decode_extremum<Maximum>(b, type);
  if (opcode == "abs") return decode_float<Absolute, 1>(b, type);
  if (opcode == "neg") return decode_float<Negate, 1>(b, type);
  b.fail("not for floats");
}

void add_float_opcodes(DecodeTable& table) {
  table["rcp"] = decode_reciprocal;
  table["sqrt"] = decode_root<SquareRoot>;
  table["rsqrt"] = decode_root<ReciprocalSquareRoot>;
  table["ex2"] = decode_exp2;
  table["lg2"] = decode_approximation<Log2>;
  table["sin"] = decode_approximation<Sine>;
  table["cos"] = decode_approximation<Cosine>;
  table["tanh"] = decode_approximation<HyperbolicTangent>;
  table["copysign"] = decode_copysign;
}

}  // namespace infcl::emulator
