// The kernels of AVX-512 with bfloat16 products. The build compiles no other file with these flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_avx512bf16.h"

namespace infcl::cpu {

constexpr Kernels kAvx512Bf16Kernels = kernel_table<Avx512Bf16>();

}  // namespace infcl::cpu
