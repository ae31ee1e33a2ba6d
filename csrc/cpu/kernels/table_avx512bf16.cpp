// The kernels for bfloat16 products; CMake compiles this file with that instruction set's flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_avx512bf16.h"

namespace infcl::cpu {

constexpr Kernels kAvx512Bf16Kernels = kernel_table<Avx512Bf16>();

}  // namespace infcl::cpu
