// Linux with musl: NVIDIA's driver library is linked to glibc, and musl cannot load it.
#include "cuda/no_cuda_reason.h"

namespace infcl {

const char kNoCudaReason[] =
    "builds of infcl for musl (Alpine) have no CUDA backend, because the CUDA driver needs glibc. "
    "Use backend 'cpu' or 'auto', or a system with glibc such as Debian";

}  // namespace infcl
