// Where a device puts the shared memory of a block. Kernels see these addresses, so a kernel that is right
// only where shared memory begins at 0 fails here as it fails on a card.
#pragma once

#include <cstdint>

namespace infcl::emulator {

class Warp;

// Bits 24 and up: the rank of the block in its cluster, as `mapa` writes it. The first KiB is the system's.
constexpr uint32_t kRankShift = 24, kSharedBase = 0x400;

constexpr uint32_t shared_window(uint32_t rank) { return rank << kRankShift | kSharedBase; }
constexpr uint32_t rank_of(uint32_t address) { return address >> kRankShift; }

// Bytes from the start of a block's memory. An address below the start wraps round and is out of bounds.
constexpr uint32_t offset_in_block(uint32_t address) {
  return (address & ((uint32_t{1} << kRankShift) - 1)) - kSharedBase;
}

// The same of an address that must lie in the warp's own block: shared::cta, and what is not modelled
// elsewhere.
uint32_t own_offset(const Warp& warp, uint64_t address);

}  // namespace infcl::emulator
