// Sparse and rare work on a tile of scores or of their gradients: labelled positives, masks, classes, label
// smoothing. It touches few elements, or serves options that few calls use. So it is no kernel, and runs
// while the tile is in cache.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "core/grid.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// Where a tile lies in its similarity.
struct TilePlace {
  Range rows, columns;
  bool diagonal;  // the tile of a triangle in which rows meet themselves
};

// Element (i, j) is row i, column j of the similarity.
struct Tile : TilePlace {
  float* data;
  int64_t stride;  // from one column to the next

  float& at(int64_t i, int64_t j) const { return data[(j - columns.begin) * stride + i - rows.begin]; }
};

// Finds pairs of equal value between two short lists. Its table is kept, so that workers need not allocate.
class EqualPairs {
 public:
  explicit EqualPairs(int64_t most_columns);

  // f(i, j) for every i in rows, j in columns with row_values[i] == column_values[j]
  template <class F>
  void visit(const int32_t* row_values, Range rows, const int32_t* column_values, Range columns, F f) {
    fill(column_values, columns);
    for (int64_t i = rows.begin; i < rows.end; ++i)
      for (int32_t at = heads_[slot(row_values[i])]; at >= 0; at = next_[at])
        if (column_values[columns.begin + at] == row_values[i]) f(i, columns.begin + at);
  }

 private:
  void fill(const int32_t* values, Range range);
  size_t slot(int32_t value) const { return (static_cast<uint32_t>(value) * 2654435769u) >> shift_; }

  int shift_;
  std::vector<int32_t> heads_, next_;
};

// f(i, j, at) for each labelled positive in the tile, with its place in the vectors of positives
template <class F>
void for_each_positive(const TilePlace& c, const Positives& positives, F f) {
  for (int64_t i = c.rows.begin; i < c.rows.end; ++i) {
    if (positives.lists.any()) {
      positives.lists.for_each_in(i, c.columns,
                                  [&](int64_t at) { f(i, int64_t{positives.lists.keys[at]}, at); });
    } else if (c.columns.contains(positives.label(i))) {
      f(i, positives.label(i), i);
    }
  }
}

inline bool has_positive(const TilePlace& c, const Positives& positives) {
  bool found = false;
  for_each_positive(c, positives, [&](int64_t, int64_t, int64_t) { found = true; });
  return found;
}

// Scores: masks the pairs that `mask` excludes, and the meeting of a row with itself. Returns how many pairs
// the mask newly excludes.
int64_t mask_pairs(const Tile& x, const PairMask& mask, EqualPairs&);
// Scores: sums and numbers of unmasked dots along both sides (label smoothing).
struct DotSums {
  std::vector<double> row_sums, column_sums;
  std::vector<int64_t> row_counts, column_counts;
};
void sum_dots(const Tile& x, DotSums&);
// Scores: sums and row maxima of the dots of class positives.
struct ClassSums {
  std::vector<double> row_sums, column_sums;
  std::vector<float> row_max;
};
void sum_class_positives(const Tile& x, const Positives&, EqualPairs&, ClassSums&);

// Gradients: subtracts the anchors' uniform terms, except at the positions `masked` in the data (ascending).
void subtract_uniform(const Tile& g, const std::vector<float>* rows, const std::vector<float>* columns,
                      const std::vector<int32_t>& masked);
// Gradients: subtracts the weights of class positives.
void subtract_class_weights(const Tile& g, const Positives&, const std::vector<float>* rows,
                            const std::vector<float>* columns, EqualPairs&);
// Gradients: how much sum g * dot and sum g change when the labelled positives get their own gradients.
LogitGradSums positives_change(const Tile& g, const Positives&, const float* positive_dots,
                               const double* positive_grads);
// Sums of |g| along both sides.
void sum_magnitudes(const Tile& g, float* rows, float* columns);
// Positions of masked scores, counted in the data of the gradient tile `g`.
void list_masked(const Tile& g, const float* scores, int64_t stride, std::vector<int32_t>& out);

}  // namespace infcl::cpu
