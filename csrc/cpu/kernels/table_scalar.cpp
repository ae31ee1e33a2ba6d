// The kernels for `scalar`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_scalar.h"

namespace infcl::cpu {

constexpr Kernels kScalarKernels = kernel_table<Scalar>();

}  // namespace infcl::cpu
