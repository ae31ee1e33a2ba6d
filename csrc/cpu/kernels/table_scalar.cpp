// The kernels of the scalar fallback. The build gives this file no flags of its own.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_scalar.h"

namespace infcl::cpu {

constexpr Kernels kScalarKernels = kernel_table<Scalar>();

}  // namespace infcl::cpu
