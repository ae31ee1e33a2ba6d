// What an opcode's decode function sees: the modifiers still to be understood and typed access to operands.
// A modifier that is left over when the function returns is an error, so nothing is silently ignored.
#pragma once

#include <initializer_list>
#include <map>
#include <string>

#include "kernel.h"

namespace infcl::emulator {

class Decoder;

class InstructionBuilder {
 public:
  InstructionBuilder(Decoder& decoder, const Statement& statement, Instruction& instruction);

  const std::string& opcode() const { return statement_.opcode[0]; }

  // Modifiers, in any order.
  bool take(std::string_view modifier);
  int take_one_of(std::initializer_list<std::string_view> modifiers);  // index, or -1
  void require(std::string_view modifier);
  int require_one_of(std::initializer_list<std::string_view> modifiers);
  Type take_type();  // the last type modifier; an error if there is none
  bool has(std::string_view modifier) const;
  std::string take_prefixed(std::string_view prefix);  // "" if none
  void expect_no_more_modifiers() const;

  // Operands. Each call appends register-file offsets to instruction.operands.
  size_t operand_count() const { return statement_.operands.size(); }
  const OperandSyntax& syntax(size_t i) const;
  void destination(size_t i, Type type);
  void source(size_t i, Type type);
  uint8_t destination_of_any_width(size_t i);  // width of its lanes
  uint8_t source_of_any_width(size_t i, Type type_of_immediates);
  void destination_predicate(size_t i);
  bool source_predicate(size_t i);  // whether negated
  // {a, b} or a lone register; the returned width is that of its registers.
  uint8_t destinations(size_t i, size_t count);
  uint8_t sources(size_t i, size_t count, Type type_of_immediates);
  void fixed_destinations(size_t i, size_t count, Type type);
  void fixed_sources(size_t i, size_t count, Type type);
  void unused_operand() { instruction.operands.push_back(kNoRegister); }
  void address(size_t i);  // base register and instruction.immediate; may set instruction.space for kParam
  int64_t immediate(size_t i) const;

  uint32_t source_register(const OperandSyntax& operand, Type type);
  uint32_t destination_register(const OperandSyntax& operand, Type type);

  [[noreturn]] void fail(const std::string& why) const;

  Instruction& instruction;
  Decoder& decoder;

 private:
  const Statement& statement_;
  std::vector<std::string> modifiers_;
};

using DecodeFunction = void (*)(InstructionBuilder& builder);
using DecodeTable = std::map<std::string, DecodeFunction, std::less<>>;

// Each family of opcodes adds its own.
void add_integer_opcodes(DecodeTable& table);
void add_carry_opcodes(DecodeTable& table);
void add_bit_opcodes(DecodeTable& table);
void add_bit_field_opcodes(DecodeTable& table);
void add_float_opcodes(DecodeTable& table);
void add_compare_opcodes(DecodeTable& table);
void add_convert_opcodes(DecodeTable& table);
void add_move_opcodes(DecodeTable& table);
void add_control_opcodes(DecodeTable& table);
void add_collective_opcodes(DecodeTable& table);
void add_memory_opcodes(DecodeTable& table);
void add_atomic_opcodes(DecodeTable& table);
void add_async_opcodes(DecodeTable& table);
void add_matrix_opcodes(DecodeTable& table);
void add_transaction_opcodes(DecodeTable& table);
void add_warpgroup_opcodes(DecodeTable& table);

// Opcodes whose type decides the family: add, sub, mul, mad, fma, div, min, max, abs, neg.
void decode_integer_arithmetic(InstructionBuilder& builder, Type type);
void decode_carry_arithmetic(InstructionBuilder& builder, Type type);  // with .cc
void decode_float_arithmetic(InstructionBuilder& builder, Type type);

// The forms of cp, fence and barrier that sm_90 adds.
void decode_bulk_copy(InstructionBuilder& builder);
void decode_barrier_fence(InstructionBuilder& builder);
void decode_cluster_barrier(InstructionBuilder& builder);

}  // namespace infcl::emulator
