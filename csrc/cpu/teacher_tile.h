// The teacher's part of the forward pass on one tile: sums of 2^y and of 2^y (q.k) along rows and columns,
// with y the teacher's base-2 logits and q.k the scores of the call's own similarity.
#pragma once

#include <vector>

#include "core/teacher.h"
#include "cpu/tile_edits.h"

namespace infcl::cpu {

// Memory of one thread for one tile: workers must not allocate.
class TeacherTile {
 public:
  // Without a teacher, no memory.
  TeacherTile(const TileShape&, const TeacherFold&);

  // Sums of the tile. `x`: its own scores. `y`: the teacher's, masked as those are and at the positives. This
  // call overwrites `y`. `spare` has room for a tile.
  void fold(const Kernels&, const TileOperands&, const Tile& x, const Tile& y, Log2Scale, float* spare);
  void merge_rows(Range rows, TeacherSums& into) const { merge(row_, rows, into); }
  void merge_columns(Range columns, TeacherSums& into) const { merge(column_, columns, into); }

 private:
  // Of the tile's rows or columns. A row without a term has a factor of 0.
  struct Side {
    std::vector<float> max, shift, factor;
    std::vector<double> sum, cross;
  };

  void find_shifts(const Kernels&, const TileOperands&, const Tile& y, Log2Scale);
  // The exponentials of y under the shifts of the rows or of the columns, added up along that side.
  void add_up(const Kernels&, const TileOperands&, const Tile& x, const Tile& y, Log2Scale, float* out,
              bool rows, bool columns);
  static void merge(const Side&, Range, TeacherSums& into);

  Side row_, column_;
  std::vector<float> no_factor_, no_shift_;
  float one_shift_ = 0;
};

// Masks the teacher's scores `y` where the scores `x` of the tile are masked.
void mask_alike(const Tile& y, const float* x, int64_t x_stride);
// Gradients: subtracts the teacher's probabilities, in their factors.
void subtract_teacher(const Tile& g, const float* t, int64_t t_stride);

}  // namespace infcl::cpu
