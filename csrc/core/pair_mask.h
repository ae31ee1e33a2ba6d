// Which pairs of a similarity count neither for nor against a row.
#pragma once

#include <cstdint>

#include "core/key_lists.h"

namespace infcl {

// Equal ids, listed pairs, and dots above an anchor's limit. Null: no such rule.
struct PairMask {
  const int32_t *row_ids = nullptr, *column_ids = nullptr;
  KeyLists excluded;  // of each row; the CPU backend alone knows lists
  const float *row_limits = nullptr, *column_limits = nullptr;
  // Limits of the guide's dots, which come from other features than the similarity's.
  const float *guide_row_limits = nullptr, *guide_column_limits = nullptr;
  bool any() const { return row_ids || excluded.any() || row_limits || column_limits || guide_row_limits; }
};

}  // namespace infcl
