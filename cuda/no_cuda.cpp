// Stands in for the CUDA backend in builds without it: same symbols, and a reason that tells the user what to
// do.
#include "core/backend_factory.h"

namespace infcl {

CudaInfo cuda_info() {
  return {false, "this build of infcl has no CUDA backend; use backend 'cpu' or 'auto'"};
}

}  // namespace infcl
