// Which tiles' logits wait in memory from the forward pass for the backward one, and where. Gradient memory
// is idle until the backward pass writes to it, and what it first writes to a tile row it makes of one tile:
// of tile column 0 for the rows of d_queries, of tile row 0 for those of d_keys. So that tile's logits can
// lie in those very rows, read just before they are overwritten, and by the thread that will do so. All
// others lie in the workspace, by columns first, as many as fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/grid.h"

namespace infcl::cpu {

// A tile among the similarities of a call.
struct TileIndex {
  int similarity;
  int64_t tile_row, tile_column;
};

class KeptTiles {
 public:
  // Rows of gradients that the first similarity may use, 0: none. The tile's floats are a whole number of
  // panels times a whole number of strips.
  struct Lender {
    int64_t d_rows = 0, d_columns = 0, dim = 0;
  };

  KeptTiles() = default;
  KeptTiles(const std::vector<Grid>& similarities, const Lender&, int64_t panel, int64_t strip);

  // Tiles whose logits lie in gradients.
  int64_t lent() const { return tile_rows_ + std::max<int64_t>(0, tile_columns_ - first_tile_column()); }
  // Of the others, up to `count` of those in a workspace.
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
  // Pairs of all tiles that it holds. Known without a visit.
  double pairs(const std::vector<Grid>& similarities) const;

 private:
  int64_t first_tile_column() const { return tile_rows_ > 0 ? 1 : 0; }

  int64_t tile_rows_ = 0,
          tile_columns_ = 0;  // of the first similarity, up to which gradients hold a tile each
  int64_t in_workspace_ = 0;
};

}  // namespace infcl::cpu
