// A kernel ready to run: decoded instructions over a register file laid out per warp.
//
// Every operand is an offset into the warp's register file, where a register is an array of 32 lanes of 2, 4
// or 8 bytes and a predicate is one 32-bit mask. Immediates, addresses of symbols and special registers such
// as %tid.x are registers too, filled when a warp starts; so an instruction never asks what its operand is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ptx_syntax.h"

namespace infcl::emulator {

class Warp;
struct Instruction;

// Executes the instruction for the lanes in `mask`, which is never empty.
using Execute = void (*)(Warp& warp, const Instruction& instruction, uint32_t mask);

// What an instruction does to the flow of control. kNone: execute it and go on.
enum class Control : uint8_t {
  kNone,
  kBranch,
  kBranchIndexed,
  kCall,
  kReturn,
  kExit,
  kBarrier,
  kTrap,
  kYield
};

// Which lanes must have arrived before the instruction executes.
enum class Rendezvous : uint8_t {
  kNone,
  kMembers,    // those named by operands.back()
  kAllAlive,   // all that have not exited
  kWholeWarp,  // all 32
};

enum class BarrierKind : uint8_t { kSync, kArrive, kPopc, kAnd, kOr };

constexpr uint32_t kNoRegister = 0xffffffffu;

struct Instruction {
  Execute execute = nullptr;
  std::vector<uint32_t> operands;  // as written, vectors flattened, an address by its base
  uint32_t guard = kNoRegister;
  int32_t target = -1;  // instruction of a branch or call; table of an indexed branch
  Control control = Control::kNone;
  Rendezvous rendezvous = Rendezvous::kNone;
  bool guard_negated = false;
  // Details, for those instructions that have them.
  Type type = Type::kB32, from = Type::kB32;
  Space space = Space::kGeneric;
  uint8_t count = 1;                  // elements of a vector access, matrices of ldmatrix
  uint8_t width = 4, from_width = 4;  // bytes of a lane of the (first) register written, and read
  uint8_t base_width = 8;             // of an address
  uint8_t variant = 0;                // comparison, rounding, matrix form, ... by opcode
  uint8_t combine = 0;                // of setp: and, or, xor
  bool flush = false;                 // subnormals to zero
  bool saturate = false;
  bool negate_predicate = false;    // !p as a source
  int64_t source_displacement = 0;  // of the second address, where there are two
  int64_t immediate = 0;            // displacement of an address, lookup table, wait count, ...
  SourceLocation location;
};

enum class SpecialRegister : uint8_t {
  kTidX,
  kTidY,
  kTidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneId,
  kWarpId,
  kWarpCount,
  kMultiprocessorId,
  kGridId,
  kDynamicSharedSize,
  kTotalSharedSize,
  kLanemaskEq,
  kLanemaskLt,
  kLanemaskLe,
  kLanemaskGt,
  kLanemaskGe,
  kClusterCtaidX,
  kClusterCtaidY,
  kClusterCtaidZ,
  kClusterNctaidX,
  kClusterNctaidY,
  kClusterNctaidZ,
  kClusterCtaRank,
  kClusterNctaRank,
  kClusteridX,
  kClusteridY,
  kClusteridZ,
  kNclusteridX,
  kNclusteridY,
  kNclusteridZ
};

struct ConstantRegister {
  uint32_t offset;
  uint8_t width;  // 0: a predicate
  uint64_t bits;
  bool in_shared_window = false;  // an offset, to which each block adds the start of its window
};

struct SpecialSlot {
  uint32_t offset;
  SpecialRegister which;
};

struct Parameter {
  size_t offset, bytes;
};

// Copied from an actual to a formal parameter of a device function, in local memory.
struct ParameterCopy {
  uint64_t from, to;
  size_t bytes;
};

struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  std::vector<std::string> text;  // of each instruction
  std::vector<std::vector<int32_t>> branch_tables;
  std::vector<std::vector<ParameterCopy>> call_copies;  // by Instruction::immediate of a call
  std::vector<std::vector<ParameterCopy>> return_copies;
  std::vector<ConstantRegister> constants;
  std::vector<SpecialSlot> specials;
  std::vector<Parameter> parameters;
  std::vector<std::string> files;  // by SourceLocation::file
  size_t parameter_bytes = 0;
  size_t register_bytes = 0;
  size_t static_shared_bytes = 0;  // where dynamic shared memory begins
  size_t local_bytes = 0;          // of a thread
  uint32_t max_threads = 1024;
  uint32_t cluster[3] = {1, 1, 1};

  std::string describe(
      size_t instruction) const;  // "scores.cu:12 (inlined at scores.cu:90): ld.global.f32 ..."
};

}  // namespace infcl::emulator
