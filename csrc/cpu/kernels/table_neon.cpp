// The kernels of NEON. They need no flag of the compiler: every arm64 processor has NEON.
#include "cpu/kernels/fill_table.h"
#include "cpu/kernels/vector_neon.h"

namespace infcl::cpu {

constexpr Kernels kNeonKernels = kernel_table<Neon>();

}  // namespace infcl::cpu
