// The factors and shifts of a tile's rows and columns, by which a kernel turns the tile's dots into the
// gradients of its logits.
#pragma once

#include <vector>

#include "core/grid.h"
#include "core/normaliser.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// Holds its tables, so that workers need not allocate. Results point into the tables.
class GradientFactors {
 public:
  explicit GradientFactors(const TileShape&);

  // Null: the similarity has no such normaliser.
  LogitGradArgs softmax(const NormaliserGrad* rows, Range, const NormaliserGrad* columns, Range);
  // `bias` is base 2.
  LogitGradArgs sigmoid(const NormaliserGrad& rows, Range, float bias);

 private:
  LogitGradArgs clear(GradFormula);

  std::vector<float> row_, row_shift_, column_, column_shift_;
};

}  // namespace infcl::cpu
