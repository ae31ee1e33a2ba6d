// What a call's matrix products come to, and how many threads they are worth. Shared by the planner and the
// backend, so that a plan is what the call will do. Takes the same short time for any shape: no tile is
// visited.
#pragma once

#include <cstdint>
#include <vector>

#include "core/grid.h"
#include "core/objective.h"
#include "cpu/plan.h"

namespace infcl::cpu {

std::vector<Grid> cut(const SimilarityShape* similarities, int count, const TileShape&);

// Of the matrix products that a call executes: logits, logits again where they were not kept, and one for
// each side that wants a gradient; of a triangle, the tiles on its diagonal give to their rows only.
double call_flops(const std::vector<Grid>& similarities, int64_t dim, bool gradient, const WorkspacePlan&);

// As many as asked for, or as are worth waking; at least one. Results do not depend on it.
int choose_threads(int wanted, double flops);

}  // namespace infcl::cpu
