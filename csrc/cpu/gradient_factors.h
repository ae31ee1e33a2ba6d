// What the normalisers of a tile's rows and columns come to for the kernel that turns its logits into their
// gradients.
#pragma once

#include <vector>

#include "core/grid.h"
#include "core/normaliser.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// Holds its tables, so that workers need not allocate; what it returns points into them.
class LogitFactors {
 public:
  explicit LogitFactors(const TileShape&);

  // Null: no such normaliser.
  LogitGradArgs softmax(const NormaliserGrad* rows, Range, const NormaliserGrad* columns, Range);
  // `bias` is base 2.
  LogitGradArgs sigmoid(const NormaliserGrad& rows, Range, float bias);

 private:
  LogitGradArgs clear(GradFormula);

  std::vector<float> row_, row_shift_, column_, column_shift_;
};

}  // namespace infcl::cpu
