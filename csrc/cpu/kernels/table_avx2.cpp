// The kernels for `avx2`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_avx2.h"

namespace infcl::cpu {

constexpr Kernels kAvx2Kernels = kernel_table<Avx2>();

}  // namespace infcl::cpu
