// From addresses in registers to checked host pointers, one a lane.
#pragma once

#include "global_shadow.h"
#include "shared_shadow.h"
#include "shared_window.h"
#include "warp.h"

namespace infcl::emulator {

struct LanePointers {
  uint8_t* at[kWarpSize];
};

struct LaneAddresses {
  uint64_t at[kWarpSize];
};

LaneAddresses read_addresses(const Warp& warp, const Instruction& in, uint32_t base_register, uint32_t mask);

// Bounds, alignment, races and uninitialised reads; counts sectors and waves.
LanePointers resolve(Warp& warp, const Instruction& in, Space space, const LaneAddresses& addresses,
                     size_t bytes, Access access, uint32_t mask);

// Pieces of it, for instructions that move memory in their own ways.
uint8_t* shared_pointer(const Warp& warp, uint64_t offset, size_t bytes, size_t alignment);
uint8_t* global_pointer(const Warp& warp, uint64_t address, size_t bytes, size_t alignment,
                        const Allocation** hint);
void touch_shared(Warp& warp, uint64_t offset, size_t bytes, Access access);
void touch_global(Warp& warp, const Allocation& allocation, uint64_t address, size_t bytes, Access access);
void report(const Warp& warp, const SharedShadow::Finding& finding);

// Distinct 32-byte sectors that a request touches.
uint32_t count_sectors(const LaneAddresses& addresses, size_t bytes, uint32_t mask);
// Passes over the 32 four-byte banks, a quarter or half of the warp at a time for wide accesses.
uint32_t count_waves(const LaneAddresses& addresses, size_t bytes, uint32_t mask);

}  // namespace infcl::emulator
