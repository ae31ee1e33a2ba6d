// The gradient filter of one backward pass: what each row and column has lost so far, and which tiles may be
// skipped. Tiles are charged in turns, so the choice does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/tile_edits.h"
#include "cpu/tile_turns.h"

namespace infcl::cpu {

class GradientFilter {
 public:
  explicit GradientFilter(const Grid& grid) : grid_(grid), gates_(grid) {}

  // Only with a bound: the most that a row or column may lose.
  void begin(double bound) {
    bound_ = static_cast<float>(bound);
    row_lost_.resize(static_cast<size_t>(grid_.row_count()));
    column_lost_.resize(static_cast<size_t>(grid_.column_count()));
  }

  // The tile on the diagonal of a triangle has one line, all others have two.
  bool is_turn(int64_t tile_row, int64_t tile_column) {
    return gates_.rows().is_turn(tile_row, 0, tile_column) &&
           (is_diagonal(tile_row, tile_column) || gates_.columns().is_turn(tile_column, 0, tile_row));
  }
  void leave(int64_t tile_row, int64_t tile_column) {
    gates_.rows().leave(tile_row, 0, tile_column);
    if (!is_diagonal(tile_row, tile_column)) gates_.columns().leave(tile_column, 0, tile_row);
  }

  // In the tile's turn: whether every row and column of the tile can lose it within the bound; if so, adds it
  // to their losses. `rows` and `columns` are scratch memory for sums of |g|.
  bool skip(const Tile& g, std::vector<float>& rows, std::vector<float>& columns) {
    sum_magnitudes(g, rows.data(), columns.data());
    for (int64_t r = 0; r < g.rows.size(); ++r)
      if (row_lost_[g.rows.begin + r] + rows[r] > bound_) return false;
    for (int64_t c = 0; c < g.columns.size(); ++c)
      if (column_lost_[g.columns.begin + c] + columns[c] > bound_) return false;
    for (int64_t r = 0; r < g.rows.size(); ++r) row_lost_[g.rows.begin + r] += rows[r];
    for (int64_t c = 0; c < g.columns.size(); ++c) column_lost_[g.columns.begin + c] += columns[c];
    return true;
  }

 private:
  bool is_diagonal(int64_t i, int64_t j) const { return grid_.triangle() && i == j; }

  const Grid& grid_;
  GridGates gates_;
  float bound_ = 0;
  std::vector<float> row_lost_, column_lost_;  // sums of |g| over skipped tiles
};

}  // namespace infcl::cpu
