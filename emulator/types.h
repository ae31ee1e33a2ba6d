// PTX types and state spaces, and the errors an emulated program can make.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace infcl::emulator {

constexpr int kWarpSize = 32;
constexpr uint32_t kFullMask = 0xffffffffu;

enum class Type : uint8_t {
  kPred,
  kB8,
  kU8,
  kS8,
  kB16,
  kU16,
  kS16,
  kF16,
  kBF16,
  kB32,
  kU32,
  kS32,
  kF32,
  kTF32,
  kF16x2,
  kBF16x2,
  kB64,
  kU64,
  kS64,
  kF64
};

enum class Space : uint8_t { kGeneric, kGlobal, kShared, kLocal, kConst, kParam };

std::optional<Type> parse_type(std::string_view name);
size_t type_bytes(Type type);  // of a register's lane; a predicate has 0: it is one mask for the warp
bool is_signed(Type type);
bool is_float(Type type);

// Generic addresses are host addresses, except in these windows that no host address reaches.
constexpr uint64_t kWindowSize = uint64_t{1} << 32;
constexpr uint64_t kSharedWindow = uint64_t{1} << 56;
constexpr uint64_t kLocalWindow = uint64_t{2} << 56;
constexpr uint64_t kParamWindow = uint64_t{3} << 56;

// What the driver turns into a CUresult.
enum class Fault { kInvalidPtx, kIllegalAddress, kMisalignedAddress, kIllegalInstruction, kLaunchFailed };

class EmulatorError : public std::runtime_error {
 public:
  EmulatorError(Fault fault, const std::string& what) : std::runtime_error(what), fault_(fault) {}
  Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

}  // namespace infcl::emulator
