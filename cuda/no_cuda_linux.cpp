// Linux: NVIDIA supports the system, but this build was made without nvcc.
#include "cuda/no_cuda_reason.h"

namespace infcl {

const char kNoCudaReason[] =
    "this build of infcl has no CUDA backend: it was built without nvcc. "
    "Use backend 'cpu' or 'auto', or build it from source where the CUDA toolkit is installed";

}  // namespace infcl
