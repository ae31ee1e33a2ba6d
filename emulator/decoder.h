// ModuleSyntax to Kernels: lays out registers and memory of a kernel and of the device functions it calls,
// resolves names and labels, and picks the function that executes each instruction.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "instruction_builder.h"
#include "kernel.h"

namespace infcl::emulator {

struct RegisterSlot {
  uint32_t offset = kNoRegister;
  uint8_t width = 0;  // bytes of a lane; 0: predicate
};

struct Symbol {
  Space space;
  uint64_t address;  // within its space
  size_t bytes;
  bool is_dynamic_shared = false;
};

using SymbolTable = std::map<std::string, Symbol, std::less<>>;

class Decoder {
 public:
  // `globals`: where the module's .global and .const variables are.
  Decoder(const ModuleSyntax& module, const SymbolTable& globals) : module_(module), globals_(globals) {}

  Kernel decode(const FunctionSyntax& entry);

  // For InstructionBuilder.
  const RegisterSlot* find_register(const std::string& name) const;
  const Symbol* find_symbol(const std::string& name);
  uint32_t constant(uint64_t bits, uint8_t width);
  uint32_t symbol_address(const Symbol& symbol, uint8_t width);
  uint32_t special(const std::string& name);  // kNoRegister if there is none of that name
  uint32_t sink(uint8_t width) { return allocate_register(width); }

  // For control flow.
  void refer_to_label(const std::string& label);  // target of the instruction being decoded
  void refer_to_branch_table(const std::string& label);
  void call(const std::string& function, std::vector<Symbol> results, std::vector<Symbol> arguments);
  void return_from_function();  // sets control of the instruction being decoded

 private:
  struct Scope {
    std::map<std::string, RegisterSlot> registers;
    SymbolTable symbols;
    std::map<std::string, int32_t> labels;
    std::map<std::string, std::vector<std::string>> tables;
    std::vector<std::pair<size_t, std::string>> label_uses;  // instruction, label
    std::vector<std::pair<size_t, std::string>> table_uses;
  };
  struct Frame {  // of a device function
    int32_t begin = -1;
    std::vector<Symbol> results, parameters;
  };
  struct PendingCall {
    size_t instruction;
    std::string function;
    std::vector<Symbol> results, arguments;
  };

  void decode_function(const FunctionSyntax& function);
  void decode_item(const BodyItem& item);
  void decode_statement(const Statement& statement);
  void append(Instruction instruction, const std::string& text);
  void declare_registers(const RegisterDeclaration& declaration);
  Symbol declare_variable(const Variable& variable, bool is_kernel_parameter);
  Symbol place_shared(const Variable& variable);
  void close_scope();
  int32_t resolve_branch_table(const Scope& scope, const std::vector<std::string>& labels);
  void link_calls();
  uint32_t allocate_register(uint8_t width);
  const FunctionSyntax& find_function(const std::string& name) const;

  const ModuleSyntax& module_;
  const SymbolTable& globals_;
  Kernel kernel_;
  std::vector<Scope> scopes_;
  std::map<std::string, Frame> frames_;
  std::vector<PendingCall> calls_;
  std::map<std::pair<uint64_t, uint8_t>, uint32_t> constants_;
  std::vector<size_t> dynamic_shared_constants_;
  size_t dynamic_shared_align_ = 16;
  const FunctionSyntax* function_ = nullptr;
};

}  // namespace infcl::emulator
