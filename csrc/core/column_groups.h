// The groups of a rank search. Columns of one group count once, so a search visits them as neighbours: in the
// order of their groups. Then one pass over the tiles is enough, and no score has to wait for another tile.
#pragma once

#include <cstdint>
#include <vector>

#include "core/search_args.h"

namespace infcl {

class ColumnGroups {
 public:
  // `groups`: [columns] or null.
  ColumnGroups(const int32_t* groups, int64_t columns);

  // [columns], or null where each column is a group: the column at each position.
  const int32_t* order() const { return order_.empty() ? nullptr : order_.data(); }
  // [columns], or null as `order`: the first position of the group of each position.
  const int32_t* begins() const { return begins_.empty() ? nullptr : begins_.data(); }
  // Values of columns by position: `values` itself, or a copy in `store`.
  const int32_t* by_position(const int32_t* values, std::vector<int32_t>& store) const;
  // The positions of the group of each listed column. Rows are those of `offsets`, and the ranges of a row
  // ascend.
  std::vector<ColumnRange> ranges_of(const int32_t* offsets, const int32_t* columns, int64_t rows) const;

 private:
  ColumnRange range_of(int32_t column) const;

  std::vector<int32_t> order_, begins_, ends_, positions_;
};

}  // namespace infcl
