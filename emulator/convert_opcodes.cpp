// cvt: between integers and floats of every width. A register may be wider than the type it holds.
#include <cfenv>

#include "conversions.h"
#include "instruction_builder.h"
#include "warp.h"

namespace infcl::emulator {
namespace {

using namespace conversions;

template <class T>
T read_lane(const uint8_t* lanes, int lane, size_t width) {
  T value;
  std::memcpy(&value, lanes + static_cast<size_t>(lane) * width, sizeof value);
  return value;
}

template <class T>
void write_lane(uint8_t* lanes, int lane, size_t width, T value) {
  uint64_t extended = 0;
  if constexpr (std::is_integral_v<T>)
    extended = static_cast<uint64_t>(static_cast<int64_t>(value));
  else
    std::memcpy(&extended, &value, sizeof value);
  if constexpr (std::is_unsigned_v<T>) extended = value;
  std::memcpy(lanes + static_cast<size_t>(lane) * width, &extended, width);
}

template <class To, class From>
void convert(Warp& warp, const Instruction& in, uint32_t mask) {
  constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD, FE_TONEAREST};
  uint8_t* d = warp.lanes<uint8_t>(in.operands[0]);
  const uint8_t* a = warp.lanes<uint8_t>(in.operands[1]);
  std::fesetround(kModes[in.variant]);
  if (in.width == sizeof(To) && in.from_width == sizeof(From)) {
    for_each_lane(mask, [&](int lane) {
      write_lane(d, lane, sizeof(To), convert_value<To>(read_lane<From>(a, lane, sizeof(From)), in));
    });
  } else {
    for_each_lane(mask, [&](int lane) {
      write_lane(d, lane, in.width, convert_value<To>(read_lane<From>(a, lane, in.from_width), in));
    });
  }
  std::fesetround(FE_TONEAREST);
}

template <class To>
Execute pick_from(Type from) {
  switch (from) {
    case Type::kS8:
      return convert<To, int8_t>;
    case Type::kU8:
      return convert<To, uint8_t>;
    case Type::kS16:
      return convert<To, int16_t>;
    case Type::kU16:
      return convert<To, uint16_t>;
    case Type::kS32:
      return convert<To, int32_t>;
    case Type::kU32:
      return convert<To, uint32_t>;
    case Type::kS64:
      return convert<To, int64_t>;
    case Type::kU64:
      return convert<To, uint64_t>;
    case Type::kF16:
      return convert<To, Float16>;
    case Type::kBF16:
      return convert<To, BFloat16>;
    case Type::kF32:
      return convert<To, float>;
    case Type::kF64:
      return convert<To, double>;
    default:
      return nullptr;
  }
}

Execute pick_conversion(Type to, Type from) {
  switch (to) {
    case Type::kS8:
      return pick_from<int8_t>(from);
    case Type::kU8:
      return pick_from<uint8_t>(from);
    case Type::kS16:
      return pick_from<int16_t>(from);
    case Type::kU16:
      return pick_from<uint16_t>(from);
    case Type::kS32:
      return pick_from<int32_t>(from);
    case Type::kU32:
      return pick_from<uint32_t>(from);
    case Type::kS64:
      return pick_from<int64_t>(from);
    case Type::kU64:
      return pick_from<uint64_t>(from);
    case Type::kF16:
      return pick_from<Float16>(from);
    case Type::kBF16:
      return pick_from<BFloat16>(from);
    case Type::kF32:
      return pick_from<float>(from);
    case Type::kF64:
      return pick_from<double>(from);
    default:
      return nullptr;
  }
}

// Two floats to a pair of 16 bits; the first source is the high half.
template <uint16_t (*kNarrow)(float)>
void pack_pair(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
  const float *high = warp.lanes<float>(in.operands[1]), *low = warp.lanes<float>(in.operands[2]);
  for_each_lane(mask, [=](int lane) { d[lane] = uint32_t{kNarrow(high[lane])} << 16 | kNarrow(low[lane]); });
}

// The common ones as vector loops.
template <uint16_t (*kNarrow)(float)>
void to_half(Warp& warp, const Instruction& in, uint32_t mask) {
  uint16_t* d = warp.lanes<uint16_t>(in.operands[0]);
  const float* a = warp.lanes<float>(in.operands[1]);
  for_each_lane(mask, [=](int lane) { d[lane] = kNarrow(a[lane]); });
}

template <float (*kWiden)(uint16_t)>
void from_half(Warp& warp, const Instruction& in, uint32_t mask) {
  float* d = warp.lanes<float>(in.operands[0]);
  const uint16_t* a = warp.lanes<uint16_t>(in.operands[1]);
  for_each_lane(mask, [=](int lane) { d[lane] = kWiden(a[lane]); });
}

void decode_pair(InstructionBuilder& b) {
  b.require("rn");
  const bool bfloat = b.require_one_of({"bf16x2", "f16x2"}) == 0;
  b.require("f32");
  b.destination(0, Type::kB32);
  b.source(1, Type::kF32);
  b.source(2, Type::kF32);
  b.instruction.execute = bfloat ? pack_pair<float_to_bfloat16> : pack_pair<float_to_float16>;
}

void to_tf32(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
  const uint32_t* a = warp.lanes<uint32_t>(in.operands[1]);
  for_each_lane(mask, [=](int lane) {  // half of the last of 10 mantissa bits is added: ties away from zero
    const bool special = (a[lane] & 0x7f800000) == 0x7f800000;
    d[lane] = special ? a[lane] : (a[lane] + 0x1000) & 0xffffe000;
  });
}

void decode_tf32(InstructionBuilder& b) {
  b.require("rna");
  b.require("tf32");
  b.require("f32");
  b.destination(0, Type::kB32);
  b.source(1, Type::kF32);
  b.instruction.execute = to_tf32;
}

// Sets variant (rounding) and combine (whether a float is rounded to an integer).
void take_rounding(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  in.variant = kNoRounding;
  if (int r = b.take_one_of({"rn", "rz", "rm", "rp"}); r >= 0) in.variant = static_cast<uint8_t>(r);
  if (int r = b.take_one_of({"rni", "rzi", "rmi", "rpi"}); r >= 0) {
    in.variant = static_cast<uint8_t>(r);
    in.combine = 1;
  }
  const bool loses = is_float(in.type) != is_float(in.from) ||
                     (is_float(in.type) && type_bytes(in.type) < type_bytes(in.from));
  if (loses && in.variant == kNoRounding) b.fail("no rounding");
  if (is_float(in.from) && !is_float(in.type) && !in.combine) b.fail("no rounding to an integer");
  if (in.type == Type::kBF16 && !is_float(in.from) && type_bytes(in.from) == 8) b.fail("type");
  if (is_float(in.type) && type_bytes(in.type) == 2 && in.from == in.type && !in.combine) b.fail("type");
}

Execute pick_fast(const Instruction& in) {
  const bool plain = !in.flush && !in.saturate && !in.combine && in.variant != kZero && in.variant != kDown &&
                     in.variant != kUp;
  if (!plain) return nullptr;
  if (in.from == Type::kF32 && in.width == 2) {
    if (in.type == Type::kBF16) return to_half<float_to_bfloat16>;
    if (in.type == Type::kF16) return to_half<float_to_float16>;
  }
  if (in.type == Type::kF32 && in.from_width == 2) {
    if (in.from == Type::kBF16) return from_half<bfloat16_to_float>;
    if (in.from == Type::kF16) return from_half<float16_to_float>;
  }
  return nullptr;
}

void decode_cvt(InstructionBuilder& b) {
  if (b.has("bf16x2") || b.has("f16x2")) return decode_pair(b);
  if (b.has("tf32")) return decode_tf32(b);
  Instruction& in = b.instruction;
  in.from = b.take_type();
  in.type = b.take_type();
  in.flush = b.take("ftz");
  in.saturate = b.take("sat");
  take_rounding(b);
  in.width = b.destination_of_any_width(0);
  in.from_width = b.source_of_any_width(1, in.from);
  if (in.width < type_bytes(in.type) || in.from_width < type_bytes(in.from)) b.fail("register too narrow");
  in.execute = pick_fast(in);
  if (!in.execute) in.execute = pick_conversion(in.type, in.from);
  if (!in.execute) b.fail("type");
}

}  // namespace

void add_convert_opcodes(DecodeTable& table) { table["cvt"] = decode_cvt; }

}  // namespace infcl::emulator
