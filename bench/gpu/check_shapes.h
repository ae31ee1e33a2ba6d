// Batches larger than an oracle in float64 could solve, on the CUDA backend against the CPU backend.
#pragma once

#include <cstdint>
#include <vector>

namespace infcl {
class Backend;
}

namespace infcl::bench {

struct ShapeGrid {
  std::vector<int64_t> rows, dims;
};

// Objectives x element types x shapes: loss and gradients near the CPU's, and equal bits of two runs.
void check_shapes(Backend& cuda, const ShapeGrid&);

}  // namespace infcl::bench
