// What a profiler would count, per launch. All of it is deterministic, so tests can gate on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace infcl::emulator {

struct LaunchStatistics {
  std::string kernel;
  uint32_t grid[3] = {0, 0, 0}, block[3] = {0, 0, 0};
  uint64_t shared_bytes = 0;  // static and dynamic, of a block

  uint64_t warp_instructions = 0;
  uint64_t divergent_instructions = 0;  // executed for some of the warp's living lanes only
  uint64_t mma = 0;                     // warp instructions (wgmma: as many m16n8k16 as it equals)
  uint64_t ex2 = 0;                     // lanes
  uint64_t global_requests = 0, global_sectors = 0;  // a request: a warp instruction; a sector: 32 bytes
  uint64_t shared_requests = 0, shared_waves = 0;    // a wave: one pass over the 32 banks
  uint64_t ldmatrix_phases = 0, ldmatrix_waves = 0;  // a phase: one 8x8 matrix; equal if free of conflicts
  uint64_t local_requests = 0;                       // spills and arrays in local memory
  uint64_t atomics = 0;                              // lanes
  uint64_t async_copies = 0;                         // cp.async lanes, bulk copies
  uint64_t copied_bytes = 0;                         // that bulk copies read; a multicast reads once
  uint64_t barriers = 0;                             // of warps arriving
};

// Statistics of all launches since the last reset. The driver's lock guards the list.
std::vector<LaunchStatistics>& launch_log();
std::string statistics_json();

}  // namespace infcl::emulator
