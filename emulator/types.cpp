#include "types.h"

#include <iterator>

namespace infcl::emulator {
namespace {

struct TypeRow {
  const char* name;
  Type type;
  uint8_t bytes;
  bool is_signed, is_float;
};

// In the order of Type.
constexpr TypeRow kTypes[] = {
    {"pred", Type::kPred, 0, false, false}, {"b8", Type::kB8, 1, false, false},
    {"u8", Type::kU8, 1, false, false},     {"s8", Type::kS8, 1, true, false},
    {"b16", Type::kB16, 2, false, false},   {"u16", Type::kU16, 2, false, false},
    {"s16", Type::kS16, 2, true, false},    {"f16", Type::kF16, 2, true, true},
    {"bf16", Type::kBF16, 2, true, true},   {"b32", Type::kB32, 4, false, false},
    {"u32", Type::kU32, 4, false, false},   {"s32", Type::kS32, 4, true, false},
    {"f32", Type::kF32, 4, true, true},     {"tf32", Type::kTF32, 4, true, true},
    {"f16x2", Type::kF16x2, 4, true, true}, {"bf16x2", Type::kBF16x2, 4, true, true},
    {"b64", Type::kB64, 8, false, false},   {"u64", Type::kU64, 8, false, false},
    {"s64", Type::kS64, 8, true, false},    {"f64", Type::kF64, 8, true, true},
};
static_assert(std::size(kTypes) == static_cast<size_t>(Type::kF64) + 1, "one row a type");

const TypeRow& row(Type type) { return kTypes[static_cast<size_t>(type)]; }

}  // namespace

std::optional<Type> parse_type(std::string_view name) {
  for (const TypeRow& t : kTypes)
    if (name == t.name) return t.type;
  return std::nullopt;
}

size_t type_bytes(Type type) { return row(type).bytes; }
bool is_signed(Type type) { return row(type).is_signed; }
bool is_float(Type type) { return row(type).is_float; }

}  // namespace infcl::emulator
