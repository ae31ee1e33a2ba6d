// How long a call takes, from the times of its kernels and from the plan that the call obeys. The sum has a
// term for each thing whose cost grows in its own way: pairs, packed features, bytes of gradients, rows,
// and the call itself.
//
// Leaves out what the shape does not tell: masks, hard negatives, the float64 correction of a loss, other
// work on the machine.
#pragma once

#include <cstdint>
#include <vector>

#include "core/grid.h"
#include "core/objective.h"
#include "cpu/kernel_times.h"
#include "cpu/plan.h"

namespace infcl::cpu {

struct CallShape {
  const Objective& objective;
  int64_t rows = 0, keys = 0, dim = 0;
  bool gradient = true;
  const std::vector<Grid>& similarities;
};

// `running`: how many of the plan's threads can run at once.
double call_seconds(const CallShape&, const WorkspacePlan&, int running, const Kernels&, const KernelTimes&);

}  // namespace infcl::cpu
