// Which kernels a processor runs, and which of them a call uses: the fastest, unless the caller names another
// (scalar, avx2, avx512). Decisions are pure functions of the processor's features.
//
// Refuses kernels whose file was compiled for a feature that the processor lacks, and never reads the
// environment: another thread may be changing it.
#pragma once

#include <string>
#include <vector>

#include "cpu/cpu_features.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// Of a processor with these features, slowest first.
std::vector<const Kernels*> available_kernels(CpuFeatures has = cpu_features());
// `wanted` is the value of INFCL_ISA; "" leaves the choice to us. Throws Error (kIsa) when it names what this
// machine or build does not have.
// With `bfloat16`, kernels that multiply bfloat16 where the machine has them; elsewhere the same as without.
const Kernels& select_kernels(const std::string& wanted, bool bfloat16, CpuFeatures has = cpu_features());

}  // namespace infcl::cpu
