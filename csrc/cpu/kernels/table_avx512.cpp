// The kernels of AVX-512. The build compiles no other file with these flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_avx512.h"

namespace infcl::cpu {

constexpr Kernels kAvx512Kernels = kernel_table<Avx512>();

}  // namespace infcl::cpu
