// The CUDA driver, found when the process runs, because an npm package may not link against it. The process
// has one table of functions, because it loads the library once.
#pragma once

#include "cuda/driver/api.h"

namespace infcl::cuda {

// Loads libcuda.so.1, or the library that use_cuda_library named, on first use. Throws Error
// (kBackendUnavailable) if there is no such library, if it lacks a function, or if it finds no device. The
// next call tries again.
const api::Functions& driver();

// Throws Error for any answer but kSuccess: kOutOfMemory, or else kDevice with the driver's own words.
void check(api::Result, const char* operation);

}  // namespace infcl::cuda
