// One kernel launch: what all its blocks share.
#pragma once

#include <vector>

#include "device_memory.h"
#include "kernel.h"
#include "statistics.h"

namespace infcl::emulator {

struct Options {
  uint64_t seed = 0;      // 0: warps run to their next barrier, in order of index; else at random, in slices
  bool race = false;      // find races and cp.async destinations read before their wait
  bool check = false;     // find reads of memory never written
  bool truncate = false;  // sums of products as tensor cores form them; else in float, rounded to nearest
  bool early = false;     // tensor copies land when they are issued; else when a program waits for them
  int sm = 80;
  uint64_t first_block = 0;  // earlier ones are skipped: the far end of a grid too large to emulate
};

struct Launch {
  const Kernel& kernel;
  uint32_t grid[3];
  uint32_t block[3];
  size_t dynamic_shared_bytes;
  std::vector<uint8_t> parameters;
  const DeviceMemory& memory;
  LaunchStatistics& statistics;
  Options options;
  uint32_t serial = 0;  // of the launch, for shadows

  uint32_t threads() const { return block[0] * block[1] * block[2]; }
  uint32_t warps() const { return (threads() + kWarpSize - 1) / kWarpSize; }  // of a block
  size_t shared_bytes() const { return kernel.static_shared_bytes + dynamic_shared_bytes; }
};

// Runs every block, one cluster after another. Throws EmulatorError at the first fault.
void run_launch(Launch& launch);

}  // namespace infcl::emulator
