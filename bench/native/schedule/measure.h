// Measures on this machine what a call's work costs, one thread alone.
#pragma once

#include "call.h"

namespace schedule {

// For calls like this one. Times are times of the processor, so other programs disturb them little. Costs of
// a pair come from the largest tile of the call's first similarity.
Costs measure(const Call&, const infcl::cpu::Kernels&);

}  // namespace schedule
