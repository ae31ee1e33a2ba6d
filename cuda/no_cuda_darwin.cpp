// macOS: NVIDIA ended its driver for the system.
#include "cuda/no_cuda_reason.h"

namespace infcl {

const char kNoCudaReason[] =
    "builds of infcl for macOS have no CUDA backend, because NVIDIA has no driver for macOS. "
    "Use backend 'cpu' or 'auto'";

}  // namespace infcl
