// Batches larger than an oracle in float64 could solve, on the CUDA backend against the CPU backend.
#pragma once

#include <cstdint>
#include <vector>

#include "check_list.h"

namespace infcl::bench {

struct ShapeGrid {
  std::vector<int64_t> rows, dims;
};

// Objectives x element types x shapes, the smaller shapes first: loss and gradients near the CPU's, and equal
// bits of two runs.
std::vector<CheckEntry> shape_checks(const ShapeGrid&);

}  // namespace infcl::bench
