// The kernels for `avx512`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_avx512.h"

namespace infcl::cpu {

constexpr Kernels kAvx512Kernels = kernel_table<Avx512>();

}  // namespace infcl::cpu
