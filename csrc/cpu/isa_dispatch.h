// Chooses the kernels of a call from the list in kernels/table.h: the fastest that the processor can run,
// unless the caller names an instruction set. Decisions are pure functions of the processor's features.
//
// Refuses kernels whose file was compiled for a feature that the processor lacks. Never reads the
// environment: another thread may be changing it.
#pragma once

#include <string>
#include <vector>

#include "cpu/cpu_features.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// The float32 kernels that a processor with these features can run, slowest first.
std::vector<const Kernels*> available_kernels(CpuFeatures has = cpu_features());
// `wanted` is the value of INFCL_ISA; "" takes the fastest kernels. Throws Error (kIsa) for a name that this
// machine or build does not have. With `bfloat16`, the chosen kernels give way to those of bfloat16 products
// that follow them in the list, where the processor can run these.
const Kernels& select_kernels(const std::string& wanted, bool bfloat16, CpuFeatures has = cpu_features());

}  // namespace infcl::cpu
