// The kernels of NEON with bfloat16 products. The build compiles no other file with these flags.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_neonbf16.h"

namespace infcl::cpu {

constexpr Kernels kNeonBf16Kernels = kernel_table<NeonBf16>();

}  // namespace infcl::cpu
