// Arithmetic over several words: add.cc addc sub.cc subc mad.cc madc, and the carry of each lane between
// them.
#include "instruction_builder.h"
#include "warp.h"

namespace infcl::emulator {
namespace {

enum Operation : uint8_t { kAdd, kSubtract, kMultiplyAddLow, kMultiplyAddHigh };

__extension__ using Wide = unsigned __int128;

// operands: destination, a, b, and c of mad. combine: bit 0 reads the carry, bit 1 writes it.
template <class T>
void with_carry(Warp& warp, const Instruction& in, uint32_t mask) {
  T* d = warp.lanes<T>(in.operands[0]);
  const T *a = warp.lanes<T>(in.operands[1]), *b = warp.lanes<T>(in.operands[2]);
  const T* c = in.variant >= kMultiplyAddLow ? warp.lanes<T>(in.operands[3]) : nullptr;
  const uint32_t carries = in.combine & 1 ? warp.carry() : 0;
  uint32_t out = 0;
  for_each_lane(mask, [&](int lane) {
    const Wide carry = carries >> lane & 1;
    Wide sum;
    if (in.variant == kAdd) {
      sum = Wide{a[lane]} + b[lane] + carry;
    } else if (in.variant == kSubtract) {
      sum = Wide{a[lane]} - b[lane] - carry;  // a borrow is a carry
    } else {
      const Wide product = Wide{a[lane]} * b[lane];
      sum = Wide{static_cast<T>(in.variant == kMultiplyAddLow ? product : product >> (8 * sizeof(T)))} +
            c[lane] + carry;
    }
    d[lane] = static_cast<T>(sum);
    out |= static_cast<uint32_t>(sum >> (8 * sizeof(T)) & 1) << lane;
  });
  if (in.combine & 2) warp.carry() = (warp.carry() & ~mask) | out;
}

}  // namespace

void decode_carry_arithmetic(InstructionBuilder& b, Type type) {
  Instruction& in = b.instruction;
  std::string opcode = b.opcode();
  if (opcode.back() == 'c') {
    in.combine = 1;
    opcode.pop_back();
  }
  if (b.take("cc")) in.combine |= 2;
  if (opcode == "add")
    in.variant = kAdd;
  else if (opcode == "sub")
    in.variant = kSubtract;
  else if (opcode == "mad")
    in.variant =
        static_cast<uint8_t>(b.require_one_of({"lo", "hi"}) == 0 ? kMultiplyAddLow : kMultiplyAddHigh);
  else
    b.fail("carry");
  if (in.variant == kMultiplyAddHigh && is_signed(type)) b.fail("signed high product with a carry");
  b.destination(0, type);
  for (size_t i = 1; i < b.operand_count(); i++) b.source(i, type);
  if (b.operand_count() != (in.variant >= kMultiplyAddLow ? 4u : 3u)) b.fail("operand count");
  in.execute = type_bytes(type) == 4   ? with_carry<uint32_t>
               : type_bytes(type) == 8 ? with_carry<uint64_t>
                                       : nullptr;
  if (!in.execute) b.fail("type");
}

void add_carry_opcodes(DecodeTable& table) {
  for (const char* name : {"addc", "subc", "madc"})
    table[name] = [](InstructionBuilder& b) { decode_carry_arithmetic(b, b.take_type()); };
}

}  // namespace infcl::emulator
