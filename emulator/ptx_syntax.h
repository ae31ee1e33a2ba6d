// PTX as written: what the parser yields and the decoder reads. Nothing is resolved here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "types.h"

namespace infcl::emulator {

// Contents of .loc, which nvcc -lineinfo emits; file 0: unknown.
struct SourceLocation {
  int file = 0, line = 0;
  int inlined_file = 0, inlined_line = 0;  // where the outermost caller inlined it
};

struct OperandSyntax {
  enum class Kind {
    kName,      // register, symbol or label
    kInteger,   // bits
    kFloat32,   // bits, of 0f...
    kFloat64,   // bits, of 0d... or a decimal
    kAddress,   // [name + bits], or [bits] with an empty name; items: coordinates of a tensor
    kVector,    // {items}
    kPair,      // name|name
    kArguments  // (items) of a call
  };
  Kind kind = Kind::kName;
  std::string name;
  uint64_t bits = 0;
  bool negated = false;  // !name
  std::vector<OperandSyntax> items;
};

struct Statement {
  SourceLocation location;
  std::string guard;  // predicate register; empty: none
  bool guard_negated = false;
  std::vector<std::string> opcode;  // "ld", "global", "f32"
  std::vector<OperandSyntax> operands;
  std::string text;
};

struct RegisterDeclaration {
  Type type;
  std::string name;
  int count;  // 0: the name itself; n: name0 ... name(n-1)
};

struct Variable {
  Space space = Space::kGlobal;
  Type type = Type::kB8;
  std::string name;
  size_t align = 1, bytes = 0;
  bool is_extern = false;  // dynamic shared memory
  std::vector<uint8_t> initial;
};

struct BodyItem {
  enum class Kind { kStatement, kLabel, kRegisters, kVariable, kBranchTargets, kScopeBegin, kScopeEnd };
  Kind kind;
  Statement statement;
  std::string label;  // also of kBranchTargets
  std::vector<RegisterDeclaration> registers;
  Variable variable;
  std::vector<std::string> targets;
};

struct FunctionSyntax {
  std::string name;
  bool is_entry = false, has_body = false;
  std::vector<Variable> results, parameters;
  std::vector<BodyItem> body;
  uint32_t max_threads = 1024;
  uint32_t cluster[3] = {1, 1, 1};
  bool requires_cluster = false;
};

struct ModuleSyntax {
  std::string target;  // "sm_80"
  std::vector<Variable> variables;
  std::vector<FunctionSyntax> functions;
  std::map<int, std::string> files;
};

}  // namespace infcl::emulator
