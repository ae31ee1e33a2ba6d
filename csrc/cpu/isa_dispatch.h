// Which kernels this processor runs, and which a call uses: the fastest, unless the environment variable
// INFCL_ISA names another (scalar, avx2, avx512).
#pragma once

#include <vector>

#include "cpu/kernels.h"

namespace infcl {

// Slowest first.
std::vector<const Kernels*> available_kernels();
// Throws Error (kIsa) when INFCL_ISA names what this machine or build does not have.
// With `bfloat16`, kernels that multiply bfloat16 where the machine has them; elsewhere the same as without.
const Kernels& select_kernels(bool bfloat16 = false);

}  // namespace infcl
