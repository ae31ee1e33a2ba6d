// The Planner of a CUDA device. Refuses to touch a backend: it has a context, a stream and kernels of its
// own, which the driver lets run beside those of a call.
#pragma once

#include <memory>
#include <string>

#include "core/plan.h"

namespace infcl::cuda {

// `path` as in Settings::cuda_path. Throws Error (kDevice) when there is no such device.
std::unique_ptr<Planner> make_planner(int device, const std::string& path);

}  // namespace infcl::cuda
