// Sparse and rare work on a tile of logits or of their gradients: labelled positives, masks, classes, label
// smoothing. None of it is a kernel: it touches few elements, or runs only for options that few calls use,
// and always while the tile is in cache.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "core/grid.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// A tile and where it lies in its similarity. Element (i, j) is row i, column j of the similarity.
struct Tile {
  Range rows, columns;
  float* data;
  int64_t stride;
  bool diagonal;  // the tile of a triangle in which rows meet themselves

  float& at(int64_t i, int64_t j) const { return data[(j - columns.begin) * stride + i - rows.begin]; }
};

// Finds pairs of equal value between two short lists. Holds its table, so that workers need not allocate.
class EqualPairs {
 public:
  explicit EqualPairs(int64_t most_columns);

  // f(i, j) for every i in rows, j in columns with row_values[i] == column_values[j]
  template <class F>
  void visit(const int32_t* row_values, Range rows, const int32_t* column_values, Range columns, F f) {
    fill(column_values, columns);
    for (int64_t i = rows.begin; i < rows.end; ++i)
      for (int32_t q = heads_[slot(row_values[i])]; q >= 0; q = next_[q])
        if (column_values[columns.begin + q] == row_values[i]) f(i, columns.begin + q);
  }

 private:
  void fill(const int32_t* values, Range range);
  size_t slot(int32_t value) const { return (static_cast<uint32_t>(value) * 2654435769u) >> shift_; }

  int shift_;
  std::vector<int32_t> heads_, next_;
};

// f(i, j) for each labelled positive in the tile
template <class F>
void for_each_positive(const Tile& c, const Positives& positives, F f) {
  for (int64_t i = c.rows.begin; i < c.rows.end; ++i)
    if (c.columns.contains(positives.label(i))) f(i, positives.label(i));
}

inline bool has_positive(const Tile& c, const Positives& positives) {
  bool found = false;
  for_each_positive(c, positives, [&](int64_t, int64_t) { found = true; });
  return found;
}

// Logits: masks what the rules exclude and a row's meeting with itself; returns how many pairs the rules
// newly exclude.
int64_t mask_pairs(const Tile& x, const PairMask&, EqualPairs&);
// Logits: sums and numbers of unmasked dots along both sides (label smoothing).
struct DotSums {
  std::vector<double> row_sums, column_sums;
  std::vector<int64_t> row_counts, column_counts;
};
void sum_dots(const Tile& x, DotSums&);
// Logits: sums and row maxima of the dots of class positives.
struct ClassSums {
  std::vector<double> row_sums, column_sums;
  std::vector<float> row_max;
};
void sum_class_positives(const Tile& x, const Positives&, EqualPairs&, ClassSums&);

// Gradients: subtracts the anchors' uniform terms, but not where `masked` (positions in data, ascending)
// says.
void subtract_uniform(const Tile& g, const std::vector<float>* rows, const std::vector<float>* columns,
                      const std::vector<int32_t>& masked);
void subtract_class_shares(const Tile& g, const Positives&, const std::vector<float>* rows,
                           const std::vector<float>* columns, EqualPairs&);
// Gradients: what sum g * dot and sum g will change by when the labelled positives get their own gradients.
LogitGradSums positives_change(const Tile& g, const Positives&, const float* positive_dots,
                               const double* positive_grads);
// Sums of |g| along both sides.
void sum_magnitudes(const Tile& g, float* rows, float* columns);
// Positions of masked logits in the data of the same tile's gradients, whose stride is `stride`.
void list_masked(const Tile& x, int64_t stride, std::vector<int32_t>& out);

}  // namespace infcl::cpu
