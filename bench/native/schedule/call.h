// Simulates one call of the engine on the CPU backend: all its passes, the packing of columns before each
// pass, and the work of the engine between passes, which one thread does. The cut into tiles, the number of
// threads and the scores that are kept come from the product's own planning (csrc/cpu/plan.h, call_cost.h).
#pragma once

#include <cstdint>

#include "core/objective.h"
#include "cpu/kernels/table.h"
#include "simulation.h"

namespace schedule {

// Seconds. "Row" is a row of features of either side, with all its features.
struct Costs {
  // of each pair of a tile
  double scores = 0, fold = 0, logit_grad = 0, logit_grad_kept = 0, row_gradient = 0, column_gradient = 0;
  // of each row
  double pack_panels = 0, pack_transposed = 0, pack_values = 0, find_not_finite = 0;
  double merge = 0;    // a row or column of a tile enters its sum
  double close = 0;    // the engine completes the sums of a row, and prepares its gradient
  double finish = 0;   // the engine adds the row to the loss
  double barrier = 0;  // of each start and end of all threads
};

struct Call {
  infcl::ObjectiveKind kind = infcl::ObjectiveKind::kClip;
  int64_t rows = 0, dim = 256;  // of each side
  int threads = 1;
  int64_t workspace = 0;  // bytes; 0: the default
};

Times simulate(const Call&, const Costs&, const infcl::cpu::Kernels&);

}  // namespace schedule
