// The kernels for `scalar`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernel_table.h"
#include "cpu/vector_scalar.h"

namespace infcl {

constexpr Kernels kScalarKernels = kernel_table<Scalar>();

}  // namespace infcl
