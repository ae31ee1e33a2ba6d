// A tile of dots on sm_90: what forward and backward have in common.
#pragma once

#include "mainloop_sm90.cuh"
#include "rules.cuh"

namespace infcl::cuda {

// False for the producer.
template <class Kind>
INFCL_DEVICE bool multiply_scores_sm90(const ScoresArgs& a, const ScoresMaps& maps, const TilePosition& tile,
                                       Ring& ring, Patch<WgmmaLayout>& dots) {
  return multiply_sm90<Kind, Major::kAlongDepth, Major::kAlongDepth>(
      maps.rows, {tile.block_row, 0}, maps.columns, {tile.block_column, 0}, a.padded_dim / kBox, ring, dots);
}

}  // namespace infcl::cuda
