// The kernels of AVX2. The build compiles no other file with these flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_avx2.h"

namespace infcl::cpu {

constexpr Kernels kAvx2Kernels = kernel_table<Avx2>();

}  // namespace infcl::cpu
