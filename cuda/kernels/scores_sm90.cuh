// Computes a tile of dots on sm_90, for the forward pass and for the backward pass.
#pragma once

#include "mainloop_sm90.cuh"
#include "mask.cuh"

namespace infcl::cuda {

// The neighbour block along the rows reads the same columns.
INFCL_DEVICE Neighbour neighbour_of(const ScoresArgs& a, const TilePosition& tile) {
  const int row = tile.local_row ^ kTile;
  return Neighbour(row < a.row_count && !(a.triangle && tile.column < a.row_begin + row));
}

// Returns false for the producer, which has no more work.
template <class Kind>
INFCL_DEVICE bool multiply_scores_sm90(const ScoresArgs& a, const ScoresMaps& maps, const TilePosition& tile,
                                       const Neighbour& neighbour, Ring& ring, Patch<WgmmaLayout>& dots) {
  return multiply_sm90<Kind, Major::kAlongDepth, Major::kAlongDepth, Operand::kB>(
      maps.rows, {tile.local_row, 0}, maps.columns, {tile.local_column, 0}, a.padded_dim / kBox, neighbour,
      ring, dots);
}

}  // namespace infcl::cuda
