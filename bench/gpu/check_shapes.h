// Batches larger than an oracle in float64 could solve, on the CUDA backend against the CPU backend.
#pragma once

namespace infcl {
class Backend;
}

namespace infcl::bench {

// Objectives x element types x shapes: loss and gradients near the CPU's, and equal bits of two runs.
void check_shapes(Backend& cuda, bool quick);

}  // namespace infcl::bench
