// Lists of keys, one for each query, in compressed sparse rows: the pairs that do not count, and the
// positives of queries that have several.
//
// Refuses to check: the binding has checked the numbers, since indices rely on them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/grid.h"

namespace infcl {

// The list of query i is keys[offsets[i]] to before keys[offsets[i + 1]], ascending and without a repetition.
struct KeyLists {
  const int32_t *offsets = nullptr, *keys = nullptr;  // [queries + 1], [offsets[queries]]; null: no lists

  bool any() const { return offsets != nullptr; }
  int64_t size(int64_t query) const { return offsets[query + 1] - offsets[query]; }

  // f(at) for each entry of the query's list whose key is in `range`. The list is searched and not scanned,
  // so a tile costs no more than the entries in it.
  template <class F>
  void for_each_in(int64_t query, Range range, F f) const {
    const int32_t *begin = keys + offsets[query], *end = keys + offsets[query + 1];
    for (const int32_t* key = std::lower_bound(begin, end, range.begin); key < end && *key < range.end; ++key)
      f(static_cast<int64_t>(key - keys));
  }
};

}  // namespace infcl
