// The cut of a similarity into pieces: tiles on the CPU, macro-blocks on CUDA. This file calls both tiles. A
// cut depends on the shape alone, never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

namespace infcl {

struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool contains(int64_t i) const { return begin <= i && i < end; }
};

// Largest tile that a backend works on, and the granule that its row cuts respect.
struct TileShape {
  int64_t rows, columns, row_granule;
};

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// One side in pieces of whole granules, except that the last granule may be short. The numbers of granules of
// two pieces differ by one at most.
class Cut {
 public:
  Cut() = default;
  Cut(int64_t count, int64_t granule, int64_t pieces)
      : count_(count), granule_(granule), granules_(ceil_div(count, granule)), pieces_(pieces) {}
  // Pieces of `step` each, and a last one of the rest.
  static Cut into_steps(int64_t count, int64_t step) { return {count, step, ceil_div(count, step)}; }

  int64_t count() const { return count_; }
  int64_t granule() const { return granule_; }
  int64_t pieces() const { return pieces_; }
  int64_t before(int64_t piece) const { return std::min(count_, granules_before(piece) * granule_); }
  Range at(int64_t piece) const { return {before(piece), before(piece + 1)}; }
  int64_t largest() const {
    return std::min(count_, (pieces_ == granules_ ? 1 : ceil_div(granules_, pieces_)) * granule_);
  }
  // Sum of the squares of the first `pieces` pieces. No visit is needed, since there are only two sizes, and
  // a last piece.
  double squares(int64_t pieces) const;

 private:
  int64_t granules_before(int64_t piece) const {
    if (pieces_ == granules_) return piece;
    // The product may need more than 64 bits.
    return static_cast<int64_t>(static_cast<__int128>(granules_) * piece / pieces_);
  }
  int64_t least() const { return granules_ / pieces_; }  // granules of a small piece

  int64_t count_ = 0, granule_ = 1, granules_ = 0, pieces_ = 0;
};

class Grid {
 public:
  static constexpr int64_t kMostTiles = INT64_MAX / 8;

  // A triangle needs the same cut twice.
  Grid(const Cut& rows, const Cut& columns, bool triangle)
      : rows_(rows), columns_(columns), triangle_(triangle) {}
  // Tiles of at most this shape, in even parts for 2, 4 and 8 threads.
  Grid(int64_t rows, int64_t columns, TileShape tile, bool triangle = false);

  int64_t tile_rows() const { return rows_.pieces(); }
  int64_t tile_columns() const { return columns_.pieces(); }
  // At most kMostTiles, which no call will ever visit.
  int64_t tiles() const {
    int64_t tiles = 0;
    const int64_t columns = triangle_ ? tile_rows() + 1 : tile_columns();
    if (__builtin_mul_overflow(tile_rows(), columns, &tiles)) return kMostTiles;
    return std::min(triangle_ ? tiles / 2 : tiles, kMostTiles);
  }
  bool triangle() const { return triangle_; }
  int64_t row_count() const { return rows_.count(); }
  int64_t column_count() const { return columns_.count(); }
  const Cut& row_cut() const { return rows_; }
  const Cut& column_cut() const { return columns_; }
  // Tile row i visits tile columns from here on.
  int64_t first_tile_column(int64_t tile_row) const { return triangle_ ? tile_row : 0; }
  // Position of a tile among all, by columns first.
  int64_t index(int64_t tile_row, int64_t tile_column) const {
    return triangle_ ? tile_column * (tile_column + 1) / 2 + tile_row : tile_column * tile_rows() + tile_row;
  }
  Range rows(int64_t tile_row) const { return rows_.at(tile_row); }
  Range columns(int64_t tile_column) const { return columns_.at(tile_column); }
  // Pairs in the visited tiles of the first tile columns, and in those tiles on a triangle's diagonal. Both
  // are known without a visit.
  double pairs(int64_t tile_columns) const;
  double diagonal_pairs(int64_t tile_columns) const { return triangle_ ? columns_.squares(tile_columns) : 0; }
  // Sides of the largest tile.
  int64_t max_rows() const { return rows_.largest(); }
  int64_t max_columns() const { return columns_.largest(); }

 private:
  Cut rows_, columns_;
  bool triangle_;
};

inline Grid::Grid(int64_t rows, int64_t columns, TileShape tile, bool triangle) : triangle_(triangle) {
  // The cut must not know how many threads there are. So 2, 4 or 8 threads all get even parts, even of a
  // small batch, as long as a tile row keeps two granules.
  const int64_t granules = ceil_div(rows, tile.row_granule),
                most_granules = (triangle ? std::min(tile.rows, tile.columns) : tile.rows) / tile.row_granule,
                least = ceil_div(granules, most_granules), affordable = std::max<int64_t>(1, granules / 2);
  if (triangle) {  // square tiles, so that a tile column is a tile row
    // Each tile row is one tile shorter than the one before. With few tile rows, some threads would end long
    // before others.
    rows_ = columns_ = Cut(rows, tile.row_granule, std::max(least, std::min<int64_t>(12, affordable)));
  } else {
    rows_ = Cut(rows, tile.row_granule, round_up(least, std::min<int64_t>(8, affordable)));
    columns_ = Cut::into_steps(columns, tile.columns);
  }
}

inline double Cut::squares(int64_t pieces) const {
  const auto square = [](int64_t n) { return static_cast<double>(n) * static_cast<double>(n); };
  const int64_t larger = granules_before(pieces) - least() * pieces;
  const double whole = static_cast<double>(larger) * square((least() + 1) * granule_) +
                       static_cast<double>(pieces - larger) * square(least() * granule_);
  if (pieces < pieces_) return whole;
  const int64_t before_last = before(pieces_ - 1);
  const int64_t last_if_whole = granules_ * granule_ - before_last;
  return whole - square(last_if_whole) + square(count_ - before_last);
}

inline double Grid::pairs(int64_t tile_columns) const {
  const double columns = static_cast<double>(columns_.before(tile_columns));
  if (!triangle_) return static_cast<double>(row_count()) * columns;
  return (columns * columns + diagonal_pairs(tile_columns)) / 2;
}

}  // namespace infcl
