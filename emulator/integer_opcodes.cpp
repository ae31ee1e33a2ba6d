// Integer arithmetic: add sub mul mad div rem min max abs neg sad. Wraps around, as the hardware does.
#include <limits>

#include "instruction_builder.h"
#include "lane_operations.h"

namespace infcl::emulator {
namespace {

__extension__ using Int128 = __int128;

template <class T>
using Unsigned = std::make_unsigned_t<T>;

// Unsigned, and wide enough that no promotion makes it signed.
template <class T>
using Modular = std::conditional_t<(sizeof(T) < 4), uint32_t, Unsigned<T>>;

struct Add {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Modular<T>>(a) + static_cast<Modular<T>>(b));
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Modular<T>>(a) - static_cast<Modular<T>>(b));
  }
};
struct MultiplyLow {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Modular<T>>(a) * static_cast<Modular<T>>(b));
  }
};
struct MultiplyHigh {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (sizeof(T) == 8) {
      __extension__ using Wide = std::conditional_t<std::is_signed_v<T>, Int128, unsigned __int128>;
      return static_cast<T>((static_cast<Wide>(a) * static_cast<Wide>(b)) >> 64);
    } else {
      using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
      return static_cast<T>((static_cast<Wide>(a) * static_cast<Wide>(b)) >> (8 * sizeof(T)));
    }
  }
};
struct MultiplyAddLow {
  template <class T>
  static T apply(T a, T b, T c) {
    return Add::apply(MultiplyLow::apply(a, b), c);
  }
};
struct MultiplyAddHigh {
  template <class T>
  static T apply(T a, T b, T c) {
    return Add::apply(MultiplyHigh::apply(a, b), c);
  }
};
struct MultiplyWide {
  static int32_t apply(int16_t a, int16_t b) { return int32_t{a} * b; }
  static uint32_t apply(uint16_t a, uint16_t b) { return uint32_t{a} * b; }
  static int64_t apply(int32_t a, int32_t b) { return int64_t{a} * b; }
  static uint64_t apply(uint32_t a, uint32_t b) { return uint64_t{a} * b; }
};
struct MultiplyAddWide {
  template <class T, class W>
  static W apply(T a, T b, W c) {
    return Add::apply(static_cast<W>(MultiplyWide::apply(a, b)), c);
  }
};
// Division by zero gives all ones, as hardware does where PTX leaves it open.
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    if (b == 0) return static_cast<T>(~T{0});
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return Subtract::apply(T{0}, a);
    return static_cast<T>(a / b);
  }
};
struct Remainder {
  template <class T>
  static T apply(T a, T b) {
    if (b == 0) return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
    return static_cast<T>(a % b);
  }
};
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    return a > b ? a : b;
  }
};
struct Negate {
  template <class T>
  static T apply(T a) {
    return Subtract::apply(T{0}, a);
  }
};
struct Absolute {
  template <class T>
  static T apply(T a) {
    return a < 0 ? Negate::apply(a) : a;
  }
};
struct SumOfAbsoluteDifferences {
  template <class T>
  static T apply(T a, T b, T c) {
    return Add::apply(c, a < b ? Subtract::apply(b, a) : Subtract::apply(a, b));
  }
};

template <class Op>
struct Unary {
  template <class T>
  struct Pick {
    static constexpr Execute execute = unary<Op, T, T>;
  };
};
template <class Op>
struct Binary {
  template <class T>
  struct Pick {
    static constexpr Execute execute = binary<Op, T, T>;
  };
};
template <class Op>
struct Ternary {
  template <class T>
  struct Pick {
    static constexpr Execute execute = ternary<Op, T, T>;
  };
};

template <class Op>
void decode_unary(InstructionBuilder& b, Type type) {
  b.destination(0, type);
  b.source(1, type);
  b.instruction.execute = for_integer_type<Unary<Op>::template Pick>(type);
}

template <class Op>
void decode_binary(InstructionBuilder& b, Type type) {
  b.destination(0, type);
  b.source(1, type);
  b.source(2, type);
  b.instruction.execute = for_integer_type<Binary<Op>::template Pick>(type);
}

template <class Op>
void decode_ternary(InstructionBuilder& b, Type type) {
  b.destination(0, type);
  for (size_t i = 1; i <= 3; i++) b.source(i, type);
  b.instruction.execute = for_integer_type<Ternary<Op>::template Pick>(type);
}

Type widened(InstructionBuilder& b, Type type) {
  switch (type) {
    case Type::kS16:
      return Type::kS32;
    case Type::kU16:
      return Type::kU32;
    case Type::kS32:
      return Type::kS64;
    case Type::kU32:
      return Type::kU64;
    default:
      b.fail("no wider type");
  }
}

void decode_multiply_wide(InstructionBuilder& b, Type type) {
  b.destination(0, widened(b, type));
  b.source(1, type);
  b.source(2, type);
  b.instruction.execute = type == Type::kS16   ? binary<MultiplyWide, int32_t, int16_t>
                          : type == Type::kU16 ? binary<MultiplyWide, uint32_t, uint16_t>
                          : type == Type::kS32 ? binary<MultiplyWide, int64_t, int32_t>
                                               : binary<MultiplyWide, uint64_t, uint32_t>;
}

void decode_multiply_add_wide(InstructionBuilder& b, Type type) {
  b.destination(0, widened(b, type));
  b.source(1, type);
  b.source(2, type);
  b.source(3, widened(b, type));
  b.instruction.execute =
      type == Type::kS16   ? ternary<MultiplyAddWide, int32_t, int16_t, int16_t, int32_t>
      : type == Type::kU16 ? ternary<MultiplyAddWide, uint32_t, uint16_t, uint16_t, uint32_t>
      : type == Type::kS32 ? ternary<MultiplyAddWide, int64_t, int32_t, int32_t, int64_t>
                           : ternary<MultiplyAddWide, uint64_t, uint32_t, uint32_t, uint64_t>;
}

void decode_multiply(InstructionBuilder& b, Type type) {
  const bool add = b.opcode() == "mad";
  switch (b.require_one_of({"lo", "hi", "wide"})) {
    case 0:
      return add ? decode_ternary<MultiplyAddLow>(b, type) : decode_binary<MultiplyLow>(b, type);
    case 1:
      return add ? decode_ternary<MultiplyAddHigh>(b, type) : decode_binary<MultiplyHigh>(b, type);
    default:
      return add ? decode_multiply_add_wide(b, type) : decode_multiply_wide(b, type);
  }
}

void decode_arithmetic(InstructionBuilder& b) {
  Type type = b.take_type();
  if (b.has("cc"))
    decode_carry_arithmetic(b, type);
  else if (is_float(type))
    decode_float_arithmetic(b, type);
  else
    decode_integer_arithmetic(b, type);
  if (!b.instruction.execute) b.fail("type");
}

}  // namespace

void decode_integer_arithmetic(InstructionBuilder& b, Type type) {
  const std::string& opcode = b.opcode();
  if (opcode == "add") return decode_binary<Add>(b, type);
  if (opcode == "sub") return decode_binary<Subtract>(b, type);
  if (opcode == "mul" || opcode == "mad") return decode_multiply(b, type);
  if (opcode == "div") return decode_binary<Divide>(b, type);
  if (opcode == "rem") return decode_binary<Remainder>(b, type);
  if (opcode == "min") return decode_binary<Minimum>(b, type);
  if (opcode == "max") return decode_binary<Maximum>(b, type);
  if (opcode == "abs") return decode_unary<Absolute>(b, type);
  if (opcode == "neg") return decode_unary<Negate>(b, type);
  if (opcode == "sad") return decode_ternary<SumOfAbsoluteDifferences>(b, type);
  b.fail("not for integers");
}

void add_integer_opcodes(DecodeTable& table) {
  for (const char* name :
       {"add", "sub", "mul", "mad", "div", "rem", "min", "max", "abs", "neg", "sad", "fma"})
    table[name] = decode_arithmetic;
}

}  // namespace infcl::emulator
