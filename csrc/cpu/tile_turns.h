// What one tile still has to add, in pieces: slices of its tile row and of its tile column. A thread takes
// the first piece whose turn has come, so that it waits only where none has.
//
// A rectangle has gates for its tile rows and gates for its tile columns. In a triangle, tile row x and tile
// column x are the same rows of features, and one line serves both. Its turns are: the tiles (i, x) above the
// diagonal, by i; the tile on the diagonal; the tiles (x, j) to the right, by j.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/grid.h"
#include "cpu/turn_gates.h"

namespace infcl::cpu {

// The gates of one pass over a grid.
class GridGates {
 public:
  explicit GridGates(const Grid& grid)
      : triangle_(grid.triangle()), rows_(grid.tile_rows()), columns_(triangle_ ? 0 : grid.tile_columns()) {}
  TurnGates& rows() { return rows_; }
  TurnGates& columns() { return triangle_ ? rows_ : columns_; }

 private:
  bool triangle_;
  TurnGates rows_, columns_;
};

// The slices of a line's gradient: whole panels of features. Where there are few panels and many threads,
// also bands of rows. One band after another reads a panel again, so few threads do without.
struct GradientSlices {
  GradientSlices() = default;
  GradientSlices(int64_t dim, int64_t panel, int threads)
      : dim(dim),
        size(ceil_div(ceil_div(dim, panel), TurnGates::kMostSlices) * panel),
        parts(static_cast<int>(ceil_div(dim, size))),
        bands(threads > kThreadsWithoutBands ? TurnGates::kMostSlices / parts : 1) {}

  int count() const { return parts * bands; }
  Range features(int slice) const {
    const int64_t begin = slice / bands * size;
    return {begin, std::min(dim, begin + size)};
  }
  // Of `rows` rows, in whole granules. May be empty.
  Range band(int slice, int64_t rows, int64_t granule) const {
    const auto before = [&](int64_t b) {
      return std::min(rows, ceil_div(rows, granule) * b / bands * granule);
    };
    return {before(slice % bands), before(slice % bands + 1)};
  }

  static constexpr int kThreadsWithoutBands = 4;
  int64_t dim = 1, size = 1;  // features of the gradient and of a slice
  int parts = 1, bands = 1;   // of the features, of the rows
};

struct Piece {
  bool of_rows;
  int slice;
};

class TileTurns {
 public:
  // A side without slices is passed by.
  void begin(int64_t tile_row, int64_t tile_column, int row_slices, int column_slices) {
    line_[0] = turn_[1] = tile_row;
    line_[1] = turn_[0] = tile_column;
    pending_[0] = (1u << row_slices) - 1;
    pending_[1] = (1u << column_slices) - 1;
  }
  bool done() const { return pending_[0] == 0 && pending_[1] == 0; }

  // The first piece that may enter now. The caller works on the piece, and then leaves. False: none may.
  bool take(GridGates& gates, Piece* piece) {
    for (const int side : {0, 1})
      for (unsigned rest = pending_[side]; rest != 0; rest &= rest - 1) {
        const int slice = __builtin_ctz(rest);
        if (!of_side(gates, side).is_turn(line_[side], slice, turn_[side])) continue;
        pending_[side] &= ~(1u << slice);
        *piece = {side == 0, slice};
        return true;
      }
    return false;
  }
  void leave(GridGates& gates, const Piece& piece) const {
    const int side = piece.of_rows ? 0 : 1;
    of_side(gates, side).leave(line_[side], piece.slice, turn_[side]);
  }

 private:
  static TurnGates& of_side(GridGates& gates, int side) { return side == 0 ? gates.rows() : gates.columns(); }

  int64_t line_[2] = {0, 0}, turn_[2] = {0, 0};  // of the rows, of the columns
  unsigned pending_[2] = {0, 0};                 // slices, as bits
};

}  // namespace infcl::cpu
