// mov: copies, and packing and unpacking of registers.
#include "instruction_builder.h"
#include "lane_operations.h"

namespace infcl::emulator {
namespace {

struct Copy {
  template <class T>
  static T apply(T a) {
    return a;
  }
};

void move_predicate(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t& d = warp.predicate(in.operands[0]);
  d = (d & ~mask) | (warp.predicate(in.operands[1]) & mask);
}

// Wide = count elements of Narrow, the first in the low bits.
template <class Narrow, class Wide>
void pack(Warp& warp, const Instruction& in, uint32_t mask) {
  Wide packed[kWarpSize] = {};  // the destination may be a source
  for (size_t i = 0; i < in.count; i++) {
    const Narrow* a = warp.lanes<Narrow>(in.operands[1 + i]);
    for_each_lane(mask, [&](int lane) {
      packed[lane] = static_cast<Wide>(packed[lane] | Wide{a[lane]} << (8 * sizeof(Narrow) * i));
    });
  }
  Wide* d = warp.lanes<Wide>(in.operands[0]);
  for_each_lane(mask, [&](int lane) { d[lane] = packed[lane]; });
}

template <class Narrow, class Wide>
void unpack(Warp& warp, const Instruction& in, uint32_t mask) {
  Wide packed[kWarpSize];
  std::memcpy(packed, warp.lanes<Wide>(in.operands[in.count]), sizeof packed);
  for (size_t i = 0; i < in.count; i++) {
    Narrow* d = warp.lanes<Narrow>(in.operands[i]);
    for_each_lane(mask,
                  [&](int lane) { d[lane] = static_cast<Narrow>(packed[lane] >> (8 * sizeof(Narrow) * i)); });
  }
}

Type narrow_type(InstructionBuilder& b, Type wide, size_t count) {
  const size_t bytes = type_bytes(wide);
  if (bytes == 4 && count == 2) return Type::kB16;
  if (bytes == 8 && count == 2) return Type::kB32;
  if (bytes == 8 && count == 4) return Type::kB16;
  b.fail("vector of another length");
}

void decode_pack(InstructionBuilder& b, Type type) {
  const size_t count = b.syntax(1).items.size();
  Type narrow = narrow_type(b, type, count);
  b.destination(0, type);
  b.fixed_sources(1, count, narrow);
  b.instruction.count = static_cast<uint8_t>(count);
  b.instruction.execute = type_bytes(type) == 4  ? pack<uint16_t, uint32_t>
                          : narrow == Type::kB32 ? pack<uint32_t, uint64_t>
                                                 : pack<uint16_t, uint64_t>;
}

void decode_unpack(InstructionBuilder& b, Type type) {
  const size_t count = b.syntax(0).items.size();
  Type narrow = narrow_type(b, type, count);
  b.fixed_destinations(0, count, narrow);
  b.source(1, type);
  b.instruction.count = static_cast<uint8_t>(count);
  b.instruction.execute = type_bytes(type) == 4  ? unpack<uint16_t, uint32_t>
                          : narrow == Type::kB32 ? unpack<uint32_t, uint64_t>
                                                 : unpack<uint16_t, uint64_t>;
}

// The clock counts this launch's warp instructions, so that time passes and runs repeat.
template <class T>
void read_clock(Warp& warp, const Instruction& in, uint32_t mask) {
  T* d = warp.lanes<T>(in.operands[0]);
  const auto now = static_cast<T>(warp.statistics().warp_instructions);
  for_each_lane(mask, [=](int lane) { d[lane] = now; });
}

void decode_mov(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  Type type = b.take_type();
  const OperandSyntax& source = b.syntax(1);
  if (b.syntax(0).kind == OperandSyntax::Kind::kVector) return decode_unpack(b, type);
  if (source.kind == OperandSyntax::Kind::kVector) return decode_pack(b, type);
  b.destination(0, type);
  if (source.name == "%clock" || source.name == "%clock64" || source.name == "%globaltimer") {
    in.execute = type_bytes(type) == 4 ? read_clock<uint32_t> : read_clock<uint64_t>;
    return;
  }
  b.source(1, type);
  in.execute = type == Type::kPred     ? move_predicate
               : type_bytes(type) == 2 ? unary<Copy, uint16_t, uint16_t>
               : type_bytes(type) == 4 ? unary<Copy, uint32_t, uint32_t>
                                       : unary<Copy, uint64_t, uint64_t>;
}

}  // namespace

void add_move_opcodes(DecodeTable& table) { table["mov"] = decode_mov; }

}  // namespace infcl::emulator
