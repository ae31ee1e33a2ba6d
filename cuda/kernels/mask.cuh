// Which pairs of a tile count. The mask finds the tile's labelled positives, and excludes pairs by ids, by
// limits, beyond the edges and on the diagonal. kPlain: there are no ids, limits or classes.
#pragma once

#include "collect.cuh"

namespace infcl::cuda {

// Where a tile lies. Thread t owns row t of the tile, or column t - kTile.
struct TilePosition {
  int rows, columns;                 // that exist in the tile
  int local_row, local_column;       // of the tile's corner, in the macro-block
  int64_t row, column;               // of the tile's corner, in the similarity
  bool below_diagonal, on_diagonal;  // of a triangle; else false

  INFCL_DEVICE explicit TilePosition(const ScoresArgs& a) {
    local_row = static_cast<int>(blockIdx.x) * kTile;
    local_column = static_cast<int>(blockIdx.y) * kTile;
    rows = min(kTile, a.row_count - local_row);
    columns = min(kTile, a.column_count - local_column);
    row = a.row_begin + local_row;
    column = a.column_begin + local_column;
    below_diagonal = a.triangle && column < row;
    on_diagonal = a.triangle && column == row;
  }
};

INFCL_DEVICE bool owns_row() { return threadIdx.x < kTile; }
INFCL_DEVICE int owned() { return static_cast<int>(threadIdx.x % kTile); }

struct TileMask {
  int label[kTile];  // column in the tile of each row's positive, or -1
  int row_id[kTile], column_id[kTile];
  int row_class[kTile], column_class[kTile];
  float row_limit[kTile], column_limit[kTile];
};

INFCL_DEVICE int label_in_tile(const ScoresArgs& a, const TilePosition& tile, int row) {
  if (!a.mask.labelled || row >= tile.rows) return -1;
  const int64_t label = a.mask.labels ? a.mask.labels[tile.local_row + row] : tile.row + row;
  const int64_t column = label - tile.column;
  return column >= 0 && column < tile.columns ? static_cast<int>(column) : -1;
}

// Loads the tile's mask and ends with a barrier; the caller's barrier comes before. True: the tile may have a
// masked pair or a labelled positive, and exclude() has work.
template <bool kPlain, class Layout>
INFCL_DEVICE bool load_mask(const ScoresArgs& a, const TilePosition& tile, TileMask& mask) {
  const int i = owned();
  const Mask& r = a.mask;
  bool special = tile.rows < kTile || tile.columns < kTile || tile.on_diagonal;
  if (owns_row()) {
    const int label = label_in_tile(a, tile, i);
    mask.label[i] = label;
    special = special || label >= 0;
  }
  if constexpr (!kPlain) {
    const bool row = owns_row(), exists = i < (row ? tile.rows : tile.columns);
    const int at = (row ? tile.local_row : tile.local_column) + i;
    const auto load = [&](const auto* of_rows, const auto* of_columns, auto* rows, auto* columns, auto none) {
      const auto* from = row ? of_rows : of_columns;
      (row ? rows : columns)[i] = from && exists ? from[at] : none;
    };
    load(r.row_ids, r.column_ids, mask.row_id, mask.column_id, 0);
    load(r.row_classes, r.column_classes, mask.row_class, mask.column_class, 0);
    load(r.row_limits, r.column_limits, mask.row_limit, mask.column_limit, INFINITY);
    special = special || r.row_ids || r.row_limits;
  }
  return Layout::sync_or(special);
}

// Whether this thread has the column of the tile. `column` may be -1: no column.
template <class Layout>
INFCL_DEVICE bool holds_column(int column) {
  const int offset = column - Patch<Layout>::column(0);  // 0, 1, 8, 9, 16, ...
  return offset >= 0 && offset < Layout::kWarpColumns && offset % 8 < 2;
}

// Writes kMaskedDot over the dots of pairs that do not count and of labelled positives. Calls
// on_positive(row, dot) for each labelled positive. Returns how many pairs of this thread ids and
// limits exclude.
template <bool kPlain, class Layout, class F>
INFCL_DEVICE int exclude(const ScoresArgs& a, const TilePosition& tile, const TileMask& mask,
                         Patch<Layout>& dots, F on_positive) {
  using Patch = Patch<Layout>;
  int masked = 0;
#pragma unroll
  for (int r = 0; r < Patch::kRows; ++r) {
    const int row = Patch::row(r), label = mask.label[row];
    const bool no_row = row >= tile.rows;
    float positive = kMaskedDot;
#pragma unroll
    for (int c = 0; c < Patch::kColumns; ++c) {
      const int column = Patch::column(c);
      float& dot = dots.at(r, c);
      if (label == column) {
        positive = dot;
        dot = kMaskedDot;
      } else if (no_row || column >= tile.columns || (tile.on_diagonal && row == column)) {
        dot = kMaskedDot;
      } else if constexpr (!kPlain) {
        const bool same = a.mask.row_ids && mask.row_id[row] == mask.column_id[column];
        if (same || dot > fminf(mask.row_limit[row], mask.column_limit[column])) {
          dot = kMaskedDot;
          ++masked;
        }
      }
    }
    if (holds_column<Layout>(label)) on_positive(row, positive);
  }
  return masked;
}

// Whether a pair that counts is a positive of its class.
INFCL_DEVICE bool same_class(const TileMask& mask, int row, int column) {
  return mask.row_class[row] == mask.column_class[column];
}

}  // namespace infcl::cuda
