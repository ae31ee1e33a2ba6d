#include "decoder.h"

#include <algorithm>

#include "shared_window.h"

namespace infcl::emulator {
namespace {

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

const DecodeTable& decode_table() {
  static const DecodeTable table = [] {
    DecodeTable t;
    add_integer_opcodes(t);
    add_carry_opcodes(t);
    add_bit_opcodes(t);
    add_bit_field_opcodes(t);
    add_float_opcodes(t);
    add_compare_opcodes(t);
    add_convert_opcodes(t);
    add_move_opcodes(t);
    add_control_opcodes(t);
    add_collective_opcodes(t);
    add_memory_opcodes(t);
    add_atomic_opcodes(t);
    add_async_opcodes(t);
    add_matrix_opcodes(t);
    add_transaction_opcodes(t);
    add_warpgroup_opcodes(t);
    return t;
  }();
  return table;
}

}  // namespace

Kernel Decoder::decode(const FunctionSyntax& entry) {
  kernel_.name = entry.name;
  kernel_.max_threads = entry.max_threads;
  std::copy(entry.cluster, entry.cluster + 3, kernel_.cluster);
  for (const auto& [index, name] : module_.files) {
    if (kernel_.files.size() <= static_cast<size_t>(index))
      kernel_.files.resize(static_cast<size_t>(index) + 1);
    kernel_.files[static_cast<size_t>(index)] = name;
  }
  decode_function(entry);
  for (size_t i = 0; i < calls_.size(); i++)  // a callee may add calls
    if (!frames_.count(calls_[i].function)) decode_function(find_function(calls_[i].function));
  link_calls();
  kernel_.static_shared_bytes = round_up(kernel_.static_shared_bytes, dynamic_shared_align_);
  for (size_t i : dynamic_shared_constants_) kernel_.constants[i].bits += kernel_.static_shared_bytes;
  return std::move(kernel_);
}

void Decoder::decode_function(const FunctionSyntax& function) {
  function_ = &function;
  Frame& frame = frames_[function.name];
  frame.begin = static_cast<int32_t>(kernel_.code.size());
  scopes_.emplace_back();
  for (const Variable& v : function.results) frame.results.push_back(declare_variable(v, false));
  for (const Variable& v : function.parameters)
    frame.parameters.push_back(declare_variable(v, function.is_entry));
  for (const BodyItem& item : function.body) decode_item(item);
  Instruction end;
  append(end, "end of " + function.name);
  return_from_function();
  close_scope();
}

void Decoder::decode_item(const BodyItem& item) {
  switch (item.kind) {
    case BodyItem::Kind::kStatement:
      return decode_statement(item.statement);
    case BodyItem::Kind::kLabel:
      scopes_.back().labels[item.label] = static_cast<int32_t>(kernel_.code.size());
      return;
    case BodyItem::Kind::kRegisters:
      for (const RegisterDeclaration& r : item.registers) declare_registers(r);
      return;
    case BodyItem::Kind::kVariable:
      declare_variable(item.variable, false);
      return;
    case BodyItem::Kind::kBranchTargets:
      scopes_.back().tables[item.label] = item.targets;
      return;
    case BodyItem::Kind::kScopeBegin:
      scopes_.emplace_back();
      return;
    case BodyItem::Kind::kScopeEnd:
      return close_scope();
  }
}

void Decoder::append(Instruction instruction, const std::string& text) {
  kernel_.code.push_back(std::move(instruction));
  kernel_.text.push_back(text);
}

void Decoder::decode_statement(const Statement& statement) {
  Instruction instruction;
  instruction.location = statement.location;
  append(instruction, statement.text);
  InstructionBuilder builder(*this, statement, kernel_.code.back());
  auto entry = decode_table().find(statement.opcode[0]);
  if (entry == decode_table().end()) builder.fail("opcode not modelled");
  if (!statement.guard.empty()) {
    const RegisterSlot* guard = find_register(statement.guard);
    if (!guard || guard->width != 0) builder.fail("guard is not a predicate");
    builder.instruction.guard = guard->offset;
    builder.instruction.guard_negated = statement.guard_negated;
  }
  entry->second(builder);
  builder.expect_no_more_modifiers();
}

uint32_t Decoder::allocate_register(uint8_t width) {
  auto offset = static_cast<uint32_t>(kernel_.register_bytes);
  kernel_.register_bytes += round_up(width == 0 ? 4 : size_t{width} * kWarpSize, 64);
  return offset;
}

void Decoder::declare_registers(const RegisterDeclaration& declaration) {
  auto width = static_cast<uint8_t>(type_bytes(declaration.type));
  auto& registers = scopes_.back().registers;
  if (declaration.count == 0) registers[declaration.name] = {allocate_register(width), width};
  for (int i = 0; i < declaration.count; i++)
    registers[declaration.name + std::to_string(i)] = {allocate_register(width), width};
}

Symbol Decoder::place_shared(const Variable& variable) {
  if (variable.align > kSharedBase)  // else offsets would not be aligned as addresses are
    throw EmulatorError(Fault::kInvalidPtx, "alignment of shared memory not modelled: " + variable.name);
  if (variable.is_extern) {
    dynamic_shared_align_ = std::max(dynamic_shared_align_, variable.align);
    return {Space::kShared, 0, 0, true};
  }
  kernel_.static_shared_bytes = round_up(kernel_.static_shared_bytes, variable.align);
  Symbol symbol{Space::kShared, kernel_.static_shared_bytes, variable.bytes};
  kernel_.static_shared_bytes += variable.bytes;
  return symbol;
}

Symbol Decoder::declare_variable(const Variable& variable, bool is_kernel_parameter) {
  Symbol symbol{variable.space, 0, variable.bytes};
  if (is_kernel_parameter) {
    kernel_.parameter_bytes = round_up(kernel_.parameter_bytes, variable.align);
    symbol.address = kernel_.parameter_bytes;
    kernel_.parameters.push_back({kernel_.parameter_bytes, variable.bytes});
    kernel_.parameter_bytes += variable.bytes;
  } else if (variable.space == Space::kShared) {
    symbol = place_shared(variable);
  } else if (variable.space == Space::kLocal || variable.space == Space::kParam) {
    symbol.space = Space::kLocal;  // parameters of device functions live there too
    kernel_.local_bytes = round_up(kernel_.local_bytes, std::max<size_t>(variable.align, 8));
    symbol.address = kernel_.local_bytes;
    kernel_.local_bytes += variable.bytes;
  } else {
    throw EmulatorError(Fault::kInvalidPtx, "variable inside a function not modelled: " + variable.name);
  }
  scopes_.back().symbols[variable.name] = symbol;
  return symbol;
}

}  // namespace infcl::emulator
