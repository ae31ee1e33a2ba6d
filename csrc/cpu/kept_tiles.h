// Which tiles keep their scores in memory from the forward pass to the backward pass, and where. Gradient
// memory is idle until the backward pass writes to it. The first write to rows of d_queries comes from a tile
// of tile column 0. The first write to rows of d_keys comes from a tile of tile row 0. So the scores of that
// tile can lie in those very rows: one thread reads them just before it overwrites them. All other scores lie
// in the workspace, by columns first, as many as fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/grid.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// A tile among the similarities of a call.
struct TileIndex {
  int similarity;
  int64_t tile_row, tile_column;
};

// Rows of the first similarity's gradients that may hold its scores until the backward pass. 0: none.
struct GradientRoom {
  int64_t d_rows = 0, d_columns = 0;
};

class KeptTiles {
 public:
  KeptTiles() = default;
  KeptTiles(const std::vector<Grid>& similarities, const GradientRoom&, int64_t dim, const Kernels&);

  // Tiles whose scores lie in gradients.
  int64_t in_gradients() const {
    return tile_rows_ + std::max<int64_t>(0, tile_columns_ - first_tile_column());
  }
  // Up to `count` of the other tiles keep their scores in the workspace.
  void keep_in_workspace(int64_t count) { in_workspace_ = count; }
  int64_t in_workspace() const { return in_workspace_; }

  bool in_row_gradients(const TileIndex& c) const {
    return c.similarity == 0 && c.tile_column == 0 && c.tile_row < tile_rows_;
  }
  bool in_column_gradients(const TileIndex& c) const {
    return c.similarity == 0 && c.tile_row == 0 && c.tile_column >= first_tile_column() &&
           c.tile_column < tile_columns_;
  }
  // Position in the workspace of a tile that lies in no gradient; -1: there is no room for it.
  int64_t workspace_slot(const std::vector<Grid>& similarities, const TileIndex&) const;
  bool holds(const std::vector<Grid>& similarities, const TileIndex& c) const {
    return in_row_gradients(c) || in_column_gradients(c) || workspace_slot(similarities, c) >= 0;
  }
  // Pairs of all tiles that keep their scores, known without a visit.
  double pairs(const std::vector<Grid>& similarities) const;

 private:
  int64_t first_tile_column() const { return tile_rows_ > 0 ? 1 : 0; }

  // Each of the first tile rows and tile columns of the first similarity keeps one tile in gradients.
  int64_t tile_rows_ = 0, tile_columns_ = 0;
  int64_t in_workspace_ = 0;
};

}  // namespace infcl::cpu
