// The CUDA driver, found when the process runs: an npm package may not link against it. One table for the
// process, since the library is loaded once for it whoever asks.
#pragma once

#include "cuda/driver/api.h"

namespace infcl::cuda {

// Loads libcuda.so.1, or what use_cuda_library named, on first use. Throws Error (kBackendUnavailable): no
// such library, one without a function we need, or one that finds no device. The next call tries again.
const api::Functions& driver();

// Throws what a driver's answer means: kOutOfMemory, else kDevice with the driver's own words.
void check(api::Result, const char* operation);

}  // namespace infcl::cuda
