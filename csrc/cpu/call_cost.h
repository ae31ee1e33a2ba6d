// Counts the operations of a call's matrix products, and chooses a number of threads for them. The planner
// and the backend use the same functions, so a call does what its plan says. No function visits tiles, so the
// time is short for any shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/grid.h"
#include "core/objective.h"
#include "cpu/plan.h"

namespace infcl::cpu {

// The grid of each similarity.
std::vector<Grid> cut(const SimilarityShape* similarities, int count, const TileShape&);

// Operations of the matrix products that a call executes: the scores, once more the scores that were not
// kept, and the gradient of each side. Tiles on the diagonal of a triangle form gradients of their rows only.
double call_flops(const std::vector<Grid>& similarities, int64_t dim, bool gradient, const WorkspacePlan&);

// Operations of the auxiliary similarities of such a call. Their scores are not kept. A guide is asked again
// only for tiles whose masked scores were not kept. A teacher's scores are formed twice where there are
// gradients.
double auxiliary_flops(const std::vector<Grid>& similarities, const AuxiliaryDims&, bool gradient,
                       const WorkspacePlan&);

// `wanted` where the caller named a number, else as many threads as the operations are worth, and at most
// default_threads(variable), the value of INFCL_THREADS; at least one. Results do not depend on this number.
// Throws Error (kValue) where the variable is no number of threads.
int choose_threads(int wanted, double flops, const std::string& variable);

}  // namespace infcl::cpu
