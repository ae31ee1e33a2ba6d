// Bits: and or xor not (also of predicates), shifts, lop3, prmt.
#include "instruction_builder.h"
#include "lane_operations.h"

namespace infcl::emulator {
namespace {

struct And {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <class T>
  static T apply(T a) {
    return static_cast<T>(~a);
  }
};
struct ShiftLeft {
  template <class T>
  static T apply(T a, uint32_t n) {
    using U = std::make_unsigned_t<T>;
    return n < 8 * sizeof(T) ? static_cast<T>(static_cast<U>(static_cast<uint64_t>(static_cast<U>(a)) << n))
                             : T{0};
  }
};
struct ShiftRight {
  template <class T>
  static T apply(T a, uint32_t n) {
    constexpr uint32_t bits = 8 * sizeof(T);
    if (n >= bits) return std::is_signed_v<T> && a < 0 ? static_cast<T>(-1) : T{0};
    return static_cast<T>(a >> n);
  }
};

template <class Op>
void of_predicates(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t result = Op::apply(warp.predicate(in.operands[1]), warp.predicate(in.operands[2]));
  uint32_t& d = warp.predicate(in.operands[0]);
  d = (d & ~mask) | (result & mask);
}

void not_predicate(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t& d = warp.predicate(in.operands[0]);
  d = (d & ~mask) | (~warp.predicate(in.operands[1]) & mask);
}

template <class Op>
void decode_logic(InstructionBuilder& b) {
  Type type = b.take_type();
  b.destination(0, type);
  b.source(1, type);
  b.source(2, type);
  b.instruction.execute = type == Type::kPred     ? of_predicates<Op>
                          : type_bytes(type) == 2 ? binary<Op, uint16_t, uint16_t>
                          : type_bytes(type) == 4 ? binary<Op, uint32_t, uint32_t>
                                                  : binary<Op, uint64_t, uint64_t>;
}

void decode_not(InstructionBuilder& b) {
  Type type = b.take_type();
  b.destination(0, type);
  b.source(1, type);
  b.instruction.execute = type == Type::kPred     ? not_predicate
                          : type_bytes(type) == 2 ? unary<Not, uint16_t, uint16_t>
                          : type_bytes(type) == 4 ? unary<Not, uint32_t, uint32_t>
                                                  : unary<Not, uint64_t, uint64_t>;
}

template <class Op>
struct Shift {
  template <class T>
  struct Pick {
    static constexpr Execute execute = binary<Op, T, T, uint32_t>;
  };
};

template <class Op>
void decode_shift(InstructionBuilder& b) {
  Type type = b.take_type();
  b.destination(0, type);
  b.source(1, type);
  b.source(2, Type::kU32);
  b.instruction.execute = for_integer_type<Shift<Op>::template Pick>(type);
  if (!b.instruction.execute) b.fail("type");
}

// shf: the funnel of c:b (b the low word).
template <bool kLeft, bool kWrap>
struct Funnel {
  static uint32_t apply(uint32_t low, uint32_t high, uint32_t n) {
    n = kWrap ? n & 31 : (n < 32 ? n : 32);
    uint64_t both = uint64_t{high} << 32 | low;
    return static_cast<uint32_t>(kLeft ? (both << n) >> 32 : both >> n);
  }
};

void decode_funnel(InstructionBuilder& b) {
  b.require("b32");
  const bool left = b.require_one_of({"l", "r"}) == 0;
  const bool wrap = b.require_one_of({"wrap", "clamp"}) == 0;
  b.destination(0, Type::kB32);
  for (size_t i = 1; i <= 3; i++) b.source(i, Type::kB32);
  b.instruction.execute = left ? (wrap ? ternary<Funnel<true, true>, uint32_t, uint32_t>
                                       : ternary<Funnel<true, false>, uint32_t, uint32_t>)
                               : (wrap ? ternary<Funnel<false, true>, uint32_t, uint32_t>
                                       : ternary<Funnel<false, false>, uint32_t, uint32_t>);
}

// Bit i of the table is the result where the bits of a, b, c spell i.
void lop3(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t* d = warp.lanes<uint32_t>(in.operands[0]);
  const uint32_t* a = warp.lanes<uint32_t>(in.operands[1]);
  const uint32_t* b = warp.lanes<uint32_t>(in.operands[2]);
  const uint32_t* c = warp.lanes<uint32_t>(in.operands[3]);
  uint32_t table[8];
  for (int i = 0; i < 8; i++) table[i] = in.immediate >> i & 1 ? kFullMask : 0;
  for_each_lane(mask, [=](int lane) {
    uint32_t x = a[lane], y = b[lane], z = c[lane];
    d[lane] = (~x & ~y & ~z & table[0]) | (~x & ~y & z & table[1]) | (~x & y & ~z & table[2]) |
              (~x & y & z & table[3]) | (x & ~y & ~z & table[4]) | (x & ~y & z & table[5]) |
              (x & y & ~z & table[6]) | (x & y & z & table[7]);
  });
}

void decode_lop3(InstructionBuilder& b) {
  b.require("b32");
  b.destination(0, Type::kB32);
  for (size_t i = 1; i <= 3; i++) b.source(i, Type::kB32);
  b.instruction.immediate = b.immediate(4);
  b.instruction.execute = lop3;
}

// A selector nibble: byte of b:a, or with its top bit the sign of that byte.
struct Permute {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t selector) {
    const uint64_t bytes = uint64_t{b} << 32 | a;
    uint32_t out = 0;
    for (int i = 0; i < 4; i++) {
      uint32_t s = selector >> (4 * i) & 15;
      auto byte = static_cast<uint32_t>(bytes >> (8 * (s & 7)) & 0xff);
      if (s & 8) byte = byte & 0x80 ? 0xff : 0;
      out |= byte << (8 * i);
    }
    return out;
  }
};

void decode_permute(InstructionBuilder& b) {
  b.require("b32");
  b.destination(0, Type::kB32);
  for (size_t i = 1; i <= 3; i++) b.source(i, Type::kB32);
  b.instruction.execute = ternary<Permute, uint32_t, uint32_t>;
}

}  // namespace

void add_bit_opcodes(DecodeTable& table) {
  table["and"] = decode_logic<And>;
  table["or"] = decode_logic<Or>;
  table["xor"] = decode_logic<Xor>;
  table["not"] = decode_not;
  table["shl"] = decode_shift<ShiftLeft>;
  table["shr"] = decode_shift<ShiftRight>;
  table["shf"] = decode_funnel;
  table["lop3"] = decode_lop3;
  table["prmt"] = decode_permute;
}

}  // namespace infcl::emulator
