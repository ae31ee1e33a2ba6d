// bra brx call ret exit trap, block barriers.
#include "decoder.h"

namespace infcl::emulator {
namespace {

void decode_branch(InstructionBuilder& b) {
  b.take("uni");
  b.instruction.control = Control::kBranch;
  b.decoder.refer_to_label(b.syntax(0).name);
}

void decode_indexed_branch(InstructionBuilder& b) {
  b.require("idx");
  b.take("uni");
  b.source(0, Type::kU32);
  b.instruction.control = Control::kBranchIndexed;
  b.decoder.refer_to_branch_table(b.syntax(1).name);
}

std::vector<Symbol> argument_symbols(InstructionBuilder& b, size_t operand) {
  std::vector<Symbol> symbols;
  for (const OperandSyntax& argument : b.syntax(operand).items) {
    const Symbol* symbol = b.decoder.find_symbol(argument.name);
    if (!symbol || symbol->space != Space::kLocal) b.fail("argument is not a .param variable");
    symbols.push_back(*symbol);
  }
  return symbols;
}

// call (results), function, (arguments); either list may be absent.
void decode_call(InstructionBuilder& b) {
  b.take("uni");
  std::vector<Symbol> results, arguments;
  size_t i = 0;
  if (b.syntax(i).kind == OperandSyntax::Kind::kArguments) results = argument_symbols(b, i++);
  const OperandSyntax& function = b.syntax(i++);
  if (function.kind != OperandSyntax::Kind::kName || b.decoder.find_register(function.name))
    b.fail("indirect call");
  if (i < b.operand_count()) arguments = argument_symbols(b, i++);
  if (i < b.operand_count()) b.fail("operand of call");
  b.decoder.call(function.name, results, arguments);
}

void decode_return(InstructionBuilder& b) {
  b.take("uni");
  b.decoder.return_from_function();
}

void decode_exit(InstructionBuilder& b) { b.instruction.control = Control::kExit; }

void decode_trap(InstructionBuilder& b) { b.instruction.control = Control::kTrap; }

// operands: id, thread count, then destination and predicate of a reduction
void decode_barrier(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  if (b.opcode() == "barrier" && b.take("cluster")) return decode_cluster_barrier(b);
  if (b.opcode() == "barrier") b.take("aligned");
  b.take("cta");
  if (b.opcode() == "bar" && b.take("warp")) {
    b.require("sync");
    b.source(0, Type::kB32);
    in.rendezvous = Rendezvous::kMembers;
    in.execute = [](Warp&, const Instruction&, uint32_t) {};
    return;
  }
  in.control = Control::kBarrier;
  in.rendezvous = Rendezvous::kAllAlive;
  const int action = b.require_one_of({"sync", "arrive", "red"});
  const size_t first = action == 2 ? 1 : 0;
  const size_t rest = b.operand_count() - first - (action == 2 ? 1 : 0);
  b.source(first, Type::kU32);
  if (rest > 1)
    b.source(first + 1, Type::kU32);
  else
    b.unused_operand();
  in.variant = static_cast<uint8_t>(action == 0 ? BarrierKind::kSync : BarrierKind::kArrive);
  if (action != 2) return;
  const int reduction = b.require_one_of({"popc", "and", "or"});
  in.variant = static_cast<uint8_t>(static_cast<int>(BarrierKind::kPopc) + reduction);
  b.require(reduction == 0 ? "u32" : "pred");
  b.destination(0, reduction == 0 ? Type::kU32 : Type::kPred);
  in.negate_predicate = b.source_predicate(b.operand_count() - 1);
}

}  // namespace

void add_control_opcodes(DecodeTable& table) {
  table["bra"] = decode_branch;
  table["brx"] = decode_indexed_branch;
  table["call"] = decode_call;
  table["ret"] = decode_return;
  table["exit"] = decode_exit;
  table["trap"] = decode_trap;
  table["bar"] = decode_barrier;
  table["barrier"] = decode_barrier;
}

}  // namespace infcl::emulator
