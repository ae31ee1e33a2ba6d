// How a similarity is cut into tiles. The cut depends on the shape alone, never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

namespace infcl {

struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool contains(int64_t i) const { return begin <= i && i < end; }
};

// Largest tile a backend works on, and the granule that its row cuts respect.
struct TileShape {
  int64_t rows, columns, row_granule;
};

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

class Grid {
 public:
  static constexpr int64_t kMostTiles = INT64_MAX / 8;

  Grid(int64_t rows, int64_t columns, TileShape tile, bool triangle = false)
      : rows_(rows), columns_(columns), tile_(tile), triangle_(triangle) {
    tile_columns_ = ceil_div(columns, tile.columns);
    granules_ = ceil_div(rows, tile.row_granule);
    // Even shares for 2, 4 and 8 threads, even of a small batch, as long as a block keeps two granules: the
    // cut must not know how many threads there are.
    const int64_t most_granules =
        (triangle ? std::min(tile.rows, tile.columns) : tile.rows) / tile.row_granule;
    const int64_t least = ceil_div(granules_, most_granules),
                  affordable = std::max<int64_t>(1, granules_ / 2);
    if (triangle) {  // square tiles, so that a tile column is a tile row
      // Each row of tiles is one shorter than the one before: among few, threads would end far apart.
      tile_columns_ = tile_rows_ = std::max(least, std::min<int64_t>(12, affordable));
    } else {
      tile_rows_ = round_up(least, std::min<int64_t>(8, affordable));
    }
  }

  int64_t tile_rows() const { return tile_rows_; }
  int64_t tile_columns() const { return tile_columns_; }
  // At most kMostTiles, which no call will ever visit.
  int64_t tiles() const {
    int64_t tiles = 0;
    const int64_t columns = triangle_ ? tile_rows_ + 1 : tile_columns_;
    if (__builtin_mul_overflow(tile_rows_, columns, &tiles)) return kMostTiles;
    return std::min(triangle_ ? tiles / 2 : tiles, kMostTiles);
  }
  bool triangle() const { return triangle_; }
  int64_t row_count() const { return rows_; }
  int64_t column_count() const { return columns_; }
  // Tile row i visits tile columns from here on.
  int64_t first_tile_column(int64_t tile_row) const { return triangle_ ? tile_row : 0; }
  // Position of a tile among all, by columns first.
  int64_t index(int64_t tile_row, int64_t tile_column) const {
    return triangle_ ? tile_column * (tile_column + 1) / 2 + tile_row : tile_column * tile_rows_ + tile_row;
  }
  Range rows(int64_t block) const { return {row_cut(block), row_cut(block + 1)}; }
  Range columns(int64_t block) const { return {column_cut(block), column_cut(block + 1)}; }
  // Rows and columns before a block.
  int64_t row_cut(int64_t block) const { return std::min(rows_, granule_cut(block) * tile_.row_granule); }
  int64_t column_cut(int64_t block) const {
    return triangle_ ? row_cut(block) : std::min(columns_, block * tile_.columns);
  }
  // Pairs in the visited tiles of the first tile columns, and in those of them that lie on a triangle's
  // diagonal. Known without a visit, since there are only two sizes of tile rows, and a last one.
  double pairs(int64_t tile_columns) const;
  double diagonal_pairs(int64_t tile_columns) const;
  // Of the largest block.
  int64_t max_rows() const { return std::min(rows_, ceil_div(granules_, tile_rows_) * tile_.row_granule); }
  int64_t max_columns() const { return triangle_ ? max_rows() : std::min(columns_, tile_.columns); }

 private:
  int64_t granule_cut(int64_t block) const {
    // the product may need more than 64 bits
    return static_cast<int64_t>(static_cast<__int128>(granules_) * block / tile_rows_);
  }

  int64_t rows_, columns_;
  TileShape tile_;
  bool triangle_;
  int64_t granules_ = 0, tile_rows_ = 0, tile_columns_ = 0;
};

inline double Grid::diagonal_pairs(int64_t tile_columns) const {
  if (!triangle_) return 0;
  const auto square = [](int64_t n) { return static_cast<double>(n) * static_cast<double>(n); };
  const int64_t least = granules_ / tile_rows_, larger = granule_cut(tile_columns) - least * tile_columns;
  const double whole = static_cast<double>(larger) * square((least + 1) * tile_.row_granule) +
                       static_cast<double>(tile_columns - larger) * square(least * tile_.row_granule);
  if (tile_columns < tile_rows_) return whole;
  const int64_t before_last = row_cut(tile_rows_ - 1);
  const int64_t last_if_whole = granules_ * tile_.row_granule - before_last;
  return whole - square(last_if_whole) + square(rows_ - before_last);
}

inline double Grid::pairs(int64_t tile_columns) const {
  const double columns = static_cast<double>(column_cut(tile_columns));
  if (!triangle_) return static_cast<double>(rows_) * columns;
  return (columns * columns + diagonal_pairs(tile_columns)) / 2;
}

}  // namespace infcl
