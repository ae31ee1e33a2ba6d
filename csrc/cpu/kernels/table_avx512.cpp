// The kernels for `avx512`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernel_table.h"
#include "cpu/vector_avx512.h"

namespace infcl {

constexpr Kernels kAvx512Kernels = kernel_table<Avx512>();

}  // namespace infcl
