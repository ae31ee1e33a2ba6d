#include "instruction_builder.h"

#include <algorithm>
#include <cstring>

#include "decoder.h"

namespace infcl::emulator {
namespace {

uint64_t immediate_bits(const OperandSyntax& operand, Type type) {
  if (operand.kind == OperandSyntax::Kind::kFloat64 && type_bytes(type) == 4) {
    double wide;
    std::memcpy(&wide, &operand.bits, sizeof wide);
    auto narrow = static_cast<float>(wide);
    uint32_t bits;
    std::memcpy(&bits, &narrow, sizeof bits);
    return bits;
  }
  return operand.bits;
}

bool is_immediate(const OperandSyntax& operand) {
  return operand.kind == OperandSyntax::Kind::kInteger || operand.kind == OperandSyntax::Kind::kFloat32 ||
         operand.kind == OperandSyntax::Kind::kFloat64;
}

}  // namespace

InstructionBuilder::InstructionBuilder(Decoder& d, const Statement& statement, Instruction& i)
    : instruction(i),
      decoder(d),
      statement_(statement),
      modifiers_(statement.opcode.begin() + 1, statement.opcode.end()) {}

void InstructionBuilder::fail(const std::string& why) const {
  throw EmulatorError(Fault::kInvalidPtx, "PTX instruction not modelled (" + why + "): " + statement_.text);
}

bool InstructionBuilder::has(std::string_view modifier) const {
  return std::find(modifiers_.begin(), modifiers_.end(), modifier) != modifiers_.end();
}

bool InstructionBuilder::take(std::string_view modifier) {
  auto found = std::find(modifiers_.begin(), modifiers_.end(), modifier);
  if (found == modifiers_.end()) return false;
  modifiers_.erase(found);
  return true;
}

int InstructionBuilder::take_one_of(std::initializer_list<std::string_view> modifiers) {
  int index = 0;
  for (std::string_view m : modifiers) {
    if (take(m)) return index;
    index++;
  }
  return -1;
}

void InstructionBuilder::require(std::string_view modifier) {
  if (!take(modifier)) fail("expected ." + std::string(modifier));
}

int InstructionBuilder::require_one_of(std::initializer_list<std::string_view> modifiers) {
  int index = take_one_of(modifiers);
  if (index < 0) fail("a modifier is missing or unknown");
  return index;
}

Type InstructionBuilder::take_type() {
  for (auto m = modifiers_.rbegin(); m != modifiers_.rend(); ++m) {
    auto type = parse_type(*m);
    if (!type) continue;
    modifiers_.erase(std::next(m).base());
    return *type;
  }
  fail("no type");
}

std::string InstructionBuilder::take_prefixed(std::string_view prefix) {
  for (auto m = modifiers_.begin(); m != modifiers_.end(); ++m) {
    if (m->compare(0, prefix.size(), prefix) != 0) continue;
    std::string found = *m;
    modifiers_.erase(m);
    return found;
  }
  return "";
}

void InstructionBuilder::expect_no_more_modifiers() const {
  if (!modifiers_.empty()) fail("modifier ." + modifiers_.front());
}

const OperandSyntax& InstructionBuilder::syntax(size_t i) const {
  if (i >= statement_.operands.size()) fail("too few operands");
  return statement_.operands[i];
}

uint32_t InstructionBuilder::destination_register(const OperandSyntax& operand, Type type) {
  auto width = static_cast<uint8_t>(type_bytes(type));
  if (operand.kind != OperandSyntax::Kind::kName) fail("destination is not a register");
  if (operand.name == "_") return decoder.sink(width);
  const RegisterSlot* slot = decoder.find_register(operand.name);
  if (!slot || slot->width != width) fail("register " + operand.name + " has another width");
  return slot->offset;
}

uint32_t InstructionBuilder::source_register(const OperandSyntax& operand, Type type) {
  auto width = static_cast<uint8_t>(type_bytes(type));
  if (is_immediate(operand)) {
    if (width == 0) return decoder.constant(operand.bits ? kFullMask : 0, 0);
    return decoder.constant(immediate_bits(operand, type), width);
  }
  if (operand.kind != OperandSyntax::Kind::kName) fail("source is not a register, symbol or number");
  if (const RegisterSlot* slot = decoder.find_register(operand.name)) {
    if (slot->width != width) fail("register " + operand.name + " has another width");
    return slot->offset;
  }
  if (uint32_t special = decoder.special(operand.name); special != kNoRegister) {
    if (width != 4) fail("special register of another width");
    return special;
  }
  const Symbol* symbol = decoder.find_symbol(operand.name);
  if (!symbol) fail("unknown name " + operand.name);
  return decoder.symbol_address(*symbol, width);
}

void InstructionBuilder::destination(size_t i, Type type) {
  instruction.operands.push_back(destination_register(syntax(i), type));
}

void InstructionBuilder::source(size_t i, Type type) {
  instruction.operands.push_back(source_register(syntax(i), type));
}

uint8_t InstructionBuilder::destination_of_any_width(size_t i) { return destinations(i, 1); }

uint8_t InstructionBuilder::source_of_any_width(size_t i, Type type) { return sources(i, 1, type); }

void InstructionBuilder::destination_predicate(size_t i) { destination(i, Type::kPred); }

bool InstructionBuilder::source_predicate(size_t i) {
  source(i, Type::kPred);
  return syntax(i).negated;
}

namespace {

// The registers of {a, b, c}, or the operand itself.
std::vector<OperandSyntax> elements(const OperandSyntax& operand) {
  if (operand.kind == OperandSyntax::Kind::kVector) return operand.items;
  return {operand};
}

}  // namespace

uint8_t InstructionBuilder::destinations(size_t i, size_t count) {
  std::vector<OperandSyntax> list = elements(syntax(i));
  if (list.size() != count) fail("vector of another length");
  uint8_t width = 0;
  for (const OperandSyntax& e : list) {
    const RegisterSlot* slot = decoder.find_register(e.name);
    if (slot && slot->width) width = slot->width;
  }
  if (width == 0) fail("no destination register");
  Type type = width == 2 ? Type::kB16 : width == 4 ? Type::kB32 : Type::kB64;
  fixed_destinations(i, count, type);
  return width;
}

uint8_t InstructionBuilder::sources(size_t i, size_t count, Type type_of_immediates) {
  std::vector<OperandSyntax> list = elements(syntax(i));
  if (list.size() != count) fail("vector of another length");
  auto width = static_cast<uint8_t>(std::max<size_t>(2, type_bytes(type_of_immediates)));
  for (const OperandSyntax& e : list)
    if (const RegisterSlot* slot = decoder.find_register(e.name)) width = slot->width;
  if (width == 0) fail("a predicate as a source");
  Type type = width == 2 ? Type::kB16 : width == 4 ? Type::kB32 : Type::kB64;
  if (width == type_bytes(type_of_immediates)) type = type_of_immediates;
  fixed_sources(i, count, type);
  return width;
}

void InstructionBuilder::fixed_destinations(size_t i, size_t count, Type type) {
  std::vector<OperandSyntax> list = elements(syntax(i));
  if (list.size() != count) fail("vector of another length");
  for (const OperandSyntax& e : list) instruction.operands.push_back(destination_register(e, type));
}

void InstructionBuilder::fixed_sources(size_t i, size_t count, Type type) {
  std::vector<OperandSyntax> list = elements(syntax(i));
  if (list.size() != count) fail("vector of another length");
  for (const OperandSyntax& e : list) instruction.operands.push_back(source_register(e, type));
}

void InstructionBuilder::address(size_t i) {
  const OperandSyntax& a = syntax(i);
  if (a.kind != OperandSyntax::Kind::kAddress) fail("expected an address");
  if (!a.items.empty()) fail("coordinates in an address");
  instruction.immediate = static_cast<int64_t>(a.bits);
  instruction.base_width = 8;
  if (const RegisterSlot* slot = decoder.find_register(a.name)) {
    if (slot->width != 4 && slot->width != 8) fail("address register of another width");
    instruction.base_width = slot->width;
    instruction.operands.push_back(slot->offset);
    return;
  }
  if (a.name.empty()) {
    instruction.operands.push_back(decoder.constant(0, 8));
    return;
  }
  const Symbol* symbol = decoder.find_symbol(a.name);
  if (!symbol) fail("unknown name " + a.name);
  // Parameters of device functions are written .param but live in local memory.
  if (instruction.space == Space::kParam) instruction.space = symbol->space;
  instruction.operands.push_back(decoder.symbol_address(*symbol, 8));
}

int64_t InstructionBuilder::immediate(size_t i) const {
  const OperandSyntax& operand = syntax(i);
  if (operand.kind != OperandSyntax::Kind::kInteger) fail("expected a constant");
  return static_cast<int64_t>(operand.bits);
}

}  // namespace infcl::emulator
