// Hard negatives between the passes: negatives of one query alone, which are in no tile. They have a vector
// of dots and one of gradients, and they count against the anchors of the first normaliser.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/grid.h"
#include "core/normaliser.h"
#include "core/request.h"

namespace infcl {

class HardNegativeState {
 public:
  explicit HardNegativeState(const ContrastiveRequest&);

  // of each hard negative, query by query
  float* dots() { return dots_.data(); }
  const float* grads() const { return grads_.data(); }
  // [queries]: how far the dots of a query's hard negatives may exceed dots of equal rows in tiles
  float* errors() { return errors_.data(); }

  // Excludes negatives before `fold`, as a guide asks for. [hard negatives], or empty: none.
  void exclude(std::vector<uint8_t> excluded) { excluded_ = std::move(excluded); }

  // Adds the dots of some queries to the normaliser and to the queries' maxima. Dots above the limit of their
  // query are excluded, those of negatives with the query's id, and those in `exclude`. Returns the number of
  // excluded dots.
  int64_t fold(Range queries, Normaliser&, std::vector<float>& row_max_dots,
               const std::vector<float>& limits);
  // Computes `grads`. Returns sum g * dot, without the uniform term of label smoothing.
  double prepare_gradient(const NormaliserGrad&);

 private:
  const ContrastiveRequest& r_;
  const Log2Scale scale_;
  std::vector<float> dots_, errors_, grads_;
  std::vector<uint8_t> excluded_;
};

}  // namespace infcl
