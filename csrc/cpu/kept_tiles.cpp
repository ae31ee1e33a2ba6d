#include "cpu/kept_tiles.h"

#include <cmath>

namespace infcl::cpu {

namespace {

// How many of [0, count) come before the first that is not `large_enough`. None after that one is.
template <class F>
int64_t count_first(int64_t count, F large_enough) {
  int64_t known = 0, end = count;
  while (known < end) {
    const int64_t middle = known + (end - known) / 2;
    if (large_enough(middle))
      known = middle + 1;
    else
      end = middle;
  }
  return known;
}

}  // namespace

// Tile rows are whole panels and tile columns whole strips, except the last of each. So tiles whose gradient
// rows are large enough for them come first.
KeptTiles::KeptTiles(const std::vector<Grid>& similarities, const GradientRoom& room, int64_t dim,
                     const Kernels& k) {
  const Grid& s = similarities[0];
  if (s.triangle()) return;  // rows get gradients as columns too
  const auto fits = [&](Range range, int64_t rows_with_room, int64_t i, int64_t j) {
    const int64_t rows = std::max<int64_t>(0, std::min(range.end, rows_with_room) - range.begin);
    return rows * dim >= round_up(s.rows(i).size(), k.panel) * round_up(s.columns(j).size(), k.strip);
  };
  tile_rows_ = count_first(s.tile_rows(), [&](int64_t i) { return fits(s.rows(i), room.d_rows, i, 0); });
  tile_columns_ =
      count_first(s.tile_columns(), [&](int64_t j) { return fits(s.columns(j), room.d_columns, 0, j); });
}

namespace {

// Some columns of tiles, without their first tile rows.
struct TileSpan {
  int64_t first_tile_row, column_begin, column_end;
};

// Pairs in the first `tiles` of a span, by columns first; takes the tiles off `tiles`.
double take_pairs(const Grid& s, const TileSpan& span, int64_t& tiles) {
  const int64_t per_column = s.tile_rows() - span.first_tile_row;
  if (per_column == 0 || span.column_begin >= span.column_end) return 0;
  const auto rows_up_to = [&](int64_t tile_row) {
    return static_cast<double>(s.row_cut().before(tile_row) - s.row_cut().before(span.first_tile_row));
  };
  const int64_t full_end = std::min(span.column_end, span.column_begin + tiles / per_column);
  tiles -= (full_end - span.column_begin) * per_column;
  double pairs = rows_up_to(s.tile_rows()) * static_cast<double>(s.column_cut().before(full_end) -
                                                                 s.column_cut().before(span.column_begin));
  if (full_end == span.column_end || tiles == 0) return pairs;
  pairs += rows_up_to(span.first_tile_row + tiles) * static_cast<double>(s.columns(full_end).size());
  tiles = 0;
  return pairs;
}

// The same for a whole triangle.
double take_triangle_pairs(const Grid& s, int64_t& tiles) {
  if (tiles >= s.tiles()) {
    tiles -= s.tiles();
    return s.pairs(s.tile_columns());
  }
  int64_t full = static_cast<int64_t>((std::sqrt(8. * static_cast<double>(tiles) + 1) - 1) / 2);
  while (full * (full + 1) / 2 > tiles) --full;  // the root may be rounded up
  while ((full + 1) * (full + 2) / 2 <= tiles) ++full;
  const int64_t rest = tiles - full * (full + 1) / 2;
  tiles = 0;
  return s.pairs(full) +
         static_cast<double>(s.row_cut().before(rest)) * static_cast<double>(s.columns(full).size());
}

}  // namespace

double KeptTiles::pairs(const std::vector<Grid>& similarities) const {
  if (similarities.empty()) return 0;
  const Grid& s = similarities[0];
  const int64_t first = first_tile_column(), end = std::max(first, tile_columns_);
  double pairs = 0;
  if (tile_rows_ > 0)
    pairs += static_cast<double>(s.row_cut().before(tile_rows_)) * static_cast<double>(s.columns(0).size());
  if (end > first)
    pairs += static_cast<double>(s.rows(0).size()) *
             static_cast<double>(s.column_cut().before(end) - s.column_cut().before(first));
  int64_t left = in_workspace_;
  for (const Grid& similarity : similarities) {
    if (similarity.triangle()) {
      pairs += take_triangle_pairs(similarity, left);
    } else if (&similarity == &s) {  // gradients keep tiles of its first column and first row
      pairs += take_pairs(similarity, {tile_rows_, 0, first}, left);
      pairs += take_pairs(similarity, {1, first, end}, left);
      pairs += take_pairs(similarity, {0, end, similarity.tile_columns()}, left);
    } else {
      pairs += take_pairs(similarity, {0, 0, similarity.tile_columns()}, left);
    }
  }
  return pairs;
}

int64_t KeptTiles::workspace_slot(const std::vector<Grid>& similarities, const TileIndex& c) const {
  int64_t slot = similarities[c.similarity].index(c.tile_row, c.tile_column);
  for (int p = 0; p < c.similarity; ++p) slot += similarities[p].tiles();
  if (c.similarity > 0) {
    slot -= in_gradients();
  } else {  // without the tiles before it that lie in gradients
    slot -= c.tile_column == 0 ? std::min(c.tile_row, tile_rows_) : tile_rows_;
    const int64_t columns_before = c.tile_column + (c.tile_row > 0 ? 1 : 0);
    slot -= std::max<int64_t>(0, std::min(columns_before, tile_columns_) - first_tile_column());
  }
  return slot < in_workspace_ ? slot : -1;
}

}  // namespace infcl::cpu
