// Computes a tile of dots, for the forward pass and for the backward pass.
#pragma once

#include "mainloop.cuh"
#include "mask.cuh"

namespace infcl::cuda {

template <class Kind>
INFCL_DEVICE void multiply_scores(const ScoresArgs& a, const TilePosition& tile, Stage* ring,
                                  Patch<MmaLayout>& dots) {
  using Loads = OperandLoads<Major::kAlongDepth>;
  const int64_t stride = a.padded_dim;
  dots.clear();
  multiply_add<Kind>(Loads(plus(a.rows, tile.local_row * stride), stride, kDepth),
                     Loads(plus(a.columns, tile.local_column * stride), stride, kDepth),
                     a.padded_dim / kDepth, ring, true, dots);
}

}  // namespace infcl::cuda
