// Windows: the code that loads the CUDA driver is written for Linux.
#include "cuda/no_cuda_reason.h"

namespace infcl {

const char kNoCudaReason[] =
    "builds of infcl for Windows have no CUDA backend. "
    "Use backend 'cpu' or 'auto', or run infcl for Linux under WSL 2, where the GPU is visible";

}  // namespace infcl
