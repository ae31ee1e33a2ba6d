// Which rows of the hard negatives belong to each query: as many for every query, or ragged.
#pragma once

#include <cstdint>

#include "core/grid.h"

namespace infcl {

struct HardNegativeRows {
  int64_t per_query = 0;             // query i owns the rows [i * per_query, (i + 1) * per_query)
  const int32_t* offsets = nullptr;  // ragged: query i owns the rows [offsets[i], offsets[i + 1]), maybe none

  Range of(int64_t query) const {
    return offsets ? Range{offsets[query], offsets[query + 1]}
                   : Range{query * per_query, (query + 1) * per_query};
  }
};

}  // namespace infcl
