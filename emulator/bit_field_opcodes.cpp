// Fields and counts of bits: bfe bfi popc clz bfind brev.
#include "instruction_builder.h"
#include "lane_operations.h"

namespace infcl::emulator {
namespace {

struct ExtractField {
  template <class T>
  static T apply(T a, uint32_t position, uint32_t length) {
    constexpr uint32_t bits = 8 * sizeof(T);
    using U = std::make_unsigned_t<T>;
    position &= 0xff;
    length &= 0xff;
    if (length == 0) return 0;
    uint32_t top = position + length - 1 < bits - 1 ? position + length - 1 : bits - 1;
    bool sign = std::is_signed_v<T> && (static_cast<U>(a) >> top & 1);
    U field = position < bits ? static_cast<U>(a) >> position : U{0};
    if (length >= bits) length = bits;
    U mask = length == bits ? ~U{0} : (U{1} << length) - 1;
    uint32_t valid = position < bits ? bits - position : 0;
    U known = valid >= bits ? ~U{0} : (U{1} << valid) - 1;
    field = (field & mask & known) | (sign ? ~(mask & known) : U{0});
    return static_cast<T>(field);
  }
};
struct InsertField {
  template <class T>
  static T apply(T a, T b, uint32_t position, uint32_t length) {
    constexpr uint32_t bits = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    if (position >= bits || length == 0) return b;
    T mask = length >= bits ? ~T{0} : (T{1} << length) - 1;
    mask <<= position;
    return (b & ~mask) | ((a << position) & mask);
  }
};

template <class T>
void insert_field(Warp& warp, const Instruction& in, uint32_t mask) {
  T* d = warp.lanes<T>(in.operands[0]);
  const T *a = warp.lanes<T>(in.operands[1]), *b = warp.lanes<T>(in.operands[2]);
  const uint32_t *p = warp.lanes<uint32_t>(in.operands[3]), *n = warp.lanes<uint32_t>(in.operands[4]);
  for_each_lane(mask, [=](int lane) { d[lane] = InsertField::apply(a[lane], b[lane], p[lane], n[lane]); });
}

template <class T>
constexpr Execute kExtract = ternary<ExtractField, T, T, uint32_t, uint32_t>;

void decode_extract(InstructionBuilder& b) {
  Type type = b.take_type();
  b.destination(0, type);
  b.source(1, type);
  b.source(2, Type::kU32);
  b.source(3, Type::kU32);
  b.instruction.execute = type == Type::kU32   ? kExtract<uint32_t>
                          : type == Type::kS32 ? kExtract<int32_t>
                          : type == Type::kU64 ? kExtract<uint64_t>
                          : type == Type::kS64 ? kExtract<int64_t>
                                               : nullptr;
  if (!b.instruction.execute) b.fail("type");
}

void decode_insert(InstructionBuilder& b) {
  const bool wide = b.require_one_of({"b32", "b64"}) == 1;
  Type type = wide ? Type::kB64 : Type::kB32;
  b.destination(0, type);
  b.source(1, type);
  b.source(2, type);
  b.source(3, Type::kU32);
  b.source(4, Type::kU32);
  b.instruction.execute = wide ? insert_field<uint64_t> : insert_field<uint32_t>;
}

struct CountOnes {
  template <class T>
  static uint32_t apply(T a) {
    return static_cast<uint32_t>(__builtin_popcountll(a));
  }
};
struct CountLeadingZeros {
  template <class T>
  static uint32_t apply(T a) {
    return a == 0 ? 8 * sizeof(T) : static_cast<uint32_t>(__builtin_clzll(a)) - (64 - 8 * sizeof(T));
  }
};
// Position of the highest bit that differs from the sign; all ones if there is none.
struct FindLeading {
  template <class T>
  static uint32_t apply(T a) {
    using U = std::make_unsigned_t<T>;
    auto bits = static_cast<U>(std::is_signed_v<T> && a < 0 ? ~a : a);
    return bits == 0 ? kFullMask : static_cast<uint32_t>(63 - __builtin_clzll(bits));
  }
};
// .shiftamt: how far to shift left until that bit is the top one.
struct FindShift {
  template <class T>
  static uint32_t apply(T a) {
    const uint32_t position = FindLeading::apply(a);
    return position == kFullMask ? position : 8 * sizeof(T) - 1 - position;
  }
};
struct Reverse {
  template <class T>
  static T apply(T a) {
    T out = 0;
    for (size_t i = 0; i < 8 * sizeof(T); i++) out |= (a >> i & 1) << (8 * sizeof(T) - 1 - i);
    return out;
  }
};

template <class Op>
void decode_count(InstructionBuilder& b) {
  const bool wide = b.require_one_of({"b32", "b64"}) == 1;
  b.destination(0, Type::kU32);
  b.source(1, wide ? Type::kB64 : Type::kB32);
  b.instruction.execute = wide ? unary<Op, uint32_t, uint64_t> : unary<Op, uint32_t, uint32_t>;
}

template <class Op>
Execute pick_find(Type type) {
  switch (type) {
    case Type::kU32:
      return unary<Op, uint32_t, uint32_t>;
    case Type::kS32:
      return unary<Op, uint32_t, int32_t>;
    case Type::kU64:
      return unary<Op, uint32_t, uint64_t>;
    case Type::kS64:
      return unary<Op, uint32_t, int64_t>;
    default:
      return nullptr;
  }
}

void decode_find(InstructionBuilder& b) {
  const bool shift = b.take("shiftamt");
  Type type = b.take_type();
  b.destination(0, Type::kU32);
  b.source(1, type);
  b.instruction.execute = shift ? pick_find<FindShift>(type) : pick_find<FindLeading>(type);
  if (!b.instruction.execute) b.fail("type");
}

void decode_reverse(InstructionBuilder& b) {
  const bool wide = b.require_one_of({"b32", "b64"}) == 1;
  b.destination(0, wide ? Type::kB64 : Type::kB32);
  b.source(1, wide ? Type::kB64 : Type::kB32);
  b.instruction.execute = wide ? unary<Reverse, uint64_t, uint64_t> : unary<Reverse, uint32_t, uint32_t>;
}

}  // namespace

void add_bit_field_opcodes(DecodeTable& table) {
  table["bfe"] = decode_extract;
  table["bfi"] = decode_insert;
  table["popc"] = decode_count<CountOnes>;
  table["clz"] = decode_count<CountLeadingZeros>;
  table["bfind"] = decode_find;
  table["brev"] = decode_reverse;
}

}  // namespace infcl::emulator
