// What is known of each byte of an allocation: whether it was ever written, and by which block of the current
// launch it was last written and read. Two blocks of a launch that touch a byte race if one of them writes,
// unless both use atomics: nothing orders blocks. (Blocks that signal each other would need exemptions; no
// kernel here does.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace infcl::emulator {

// A read that settles is one of wgmma: it is over once the product is waited for (warp_clocks.h).
enum class Access : uint8_t { kRead, kReadThatSettles, kWrite, kAtomic };
constexpr bool is_read(Access access) {
  return access == Access::kRead || access == Access::kReadThatSettles;
}

class GlobalShadow {
 public:
  struct Conflict {
    uint32_t block;        // the other one
    uint32_t instruction;  // its instruction
    bool was_write;
  };

  explicit GlobalShadow(size_t bytes);
  ~GlobalShadow();
  GlobalShadow(const GlobalShadow&) = delete;
  GlobalShadow& operator=(const GlobalShadow&) = delete;

  void mark_initialised(size_t offset, size_t n);
  bool is_initialised(size_t offset, size_t n) const;
  std::optional<Conflict> touch(size_t offset, size_t n, Access access, uint32_t launch, uint32_t block,
                                uint32_t instruction);

 private:
  struct Cell {
    uint32_t launch;             // the rest is of this launch
    uint32_t writer, reader;     // block + 1; 0: none; reader kMany: several
    uint32_t write_at, read_at;  // instruction
    uint8_t initialised, by_atomic;
  };
  static constexpr uint32_t kMany = 0xffffffffu;
  Cell* cells_;  // zero pages until touched
  size_t mapping_bytes_;
};

}  // namespace infcl::emulator
