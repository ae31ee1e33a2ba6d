// The CUDA half of core/backends.h, in builds that have it.
#include "core/backends.h"

#include <algorithm>

#include "core/errors.h"
#include "cuda/backend.h"
#include "cuda/kernel_images.h"
#include "cuda/planner.h"

namespace infcl {

CudaInfo cuda_info() {
  CudaInfo info;
  try {
    const int count = cuda::device_count();
    if (count == 0) info.reason = "the CUDA driver finds no device";
    for (int ordinal = 0; ordinal < count; ++ordinal) {
      const cuda::DeviceTraits traits = cuda::device_traits(ordinal);
      info.devices.push_back(traits.name);
      if (!cuda::targets_for(cuda::kernel_images(), traits.capability).empty())
        info.available = true;
      else
        info.reason = "this build has no kernels for " + traits.name;
    }
  } catch (const Error& e) {  // a missing driver is an answer too
    return {false, e.what(), {}};
  }
  if (info.available) info.reason.clear();
  return info;
}

std::unique_ptr<Backend> make_cuda_backend(int device, const Settings& settings) {
  return std::make_unique<cuda::CudaBackend>(device, settings.cuda_path);
}

std::unique_ptr<Planner> make_cuda_planner(int device, const Settings& settings) {
  return cuda::make_planner(device, settings.cuda_path);
}

}  // namespace infcl
