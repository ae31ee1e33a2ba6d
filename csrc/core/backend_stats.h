// The numbers that a backend counts during a call. The engine's Stats contains this struct, so that each
// number is listed once in the engine.
#pragma once

#include <cstdint>
#include <string>

namespace infcl {

struct BackendStats {
  std::string isa;   // instruction set, or architecture and name of the device
  int threads = 0;   // 0 on a device
  double flops = 0;  // of the matrix products actually executed
  int64_t workspace_bytes = 0;
  int64_t tiles = 0, tiles_reused = 0, tiles_skipped = 0;
  double forward_fraction = 0;  // of the time of a fused pass
  int64_t slabs = 1;            // slabs in which a device took the longest matrix; 1: as a whole
};

}  // namespace infcl
