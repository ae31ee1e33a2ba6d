#include "core/column_groups.h"

#include <algorithm>
#include <cstddef>

namespace infcl {

ColumnGroups::ColumnGroups(const int32_t* groups, int64_t columns) {
  if (!groups) return;
  // Group and column in one number, so that a sort needs no look into `groups`.
  std::vector<uint64_t> sorted(static_cast<size_t>(columns));
  for (int64_t j = 0; j < columns; ++j)
    sorted[j] = static_cast<uint64_t>(static_cast<uint32_t>(groups[j])) << 32 | static_cast<uint64_t>(j);
  std::sort(sorted.begin(), sorted.end());
  const auto group = [&](int64_t position) { return sorted[position] >> 32; };
  bool any = false;
  for (int64_t at = 1; at < columns && !any; ++at) any = group(at) == group(at - 1);
  if (!any) return;
  order_.resize(sorted.size());
  begins_.resize(sorted.size());
  ends_.resize(sorted.size());
  positions_.resize(sorted.size());
  for (int64_t begin = 0, end = 0; begin < columns; begin = end) {
    while (end < columns && group(end) == group(begin)) ++end;
    for (int64_t at = begin; at < end; ++at) {
      order_[at] = static_cast<int32_t>(sorted[at] & 0xffffffff);
      begins_[at] = static_cast<int32_t>(begin);
      ends_[at] = static_cast<int32_t>(end);
      positions_[order_[at]] = static_cast<int32_t>(at);
    }
  }
}

const int32_t* ColumnGroups::by_position(const int32_t* values, std::vector<int32_t>& store) const {
  if (!values || order_.empty()) return values;
  store.clear();
  store.reserve(order_.size());
  for (const int32_t column : order_) store.push_back(values[column]);
  return store.data();
}

ColumnRange ColumnGroups::range_of(int32_t column) const {
  if (order_.empty()) return {column, column + 1};
  const int32_t position = positions_[column];
  return {begins_[position], ends_[position]};
}

std::vector<ColumnRange> ColumnGroups::ranges_of(const int32_t* offsets, const int32_t* columns,
                                                 int64_t rows) const {
  std::vector<ColumnRange> ranges;
  ranges.reserve(static_cast<size_t>(offsets[rows]));
  for (int32_t at = 0; at < offsets[rows]; ++at) ranges.push_back(range_of(columns[at]));
  for (int64_t i = 0; i < rows; ++i)
    std::sort(ranges.begin() + offsets[i], ranges.begin() + offsets[i + 1],
              [](const ColumnRange& a, const ColumnRange& b) { return a.begin < b.begin; });
  return ranges;
}

}  // namespace infcl
