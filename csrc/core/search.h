// The entry of the engine for a search: the best keys of each query, or the rank of each query's positive.
// Plain data: the binding checks a request before the engine sees it.
#pragma once

#include <cstdint>

#include "core/engine.h"
#include "core/types.h"

namespace infcl {

class Backend;

struct TopKRequest {
  int64_t k = 0;                  // from 1 to the number of keys
  const float* limits = nullptr;  // [M]: keys above the limit of their query are left out; null: none are
  float* scores = nullptr;        // [M x k], out
  int32_t* indices = nullptr;     // [M x k], out
};

struct RanksRequest {
  // The positives of query i are positives[offsets[i]] to before positives[offsets[i + 1]], one at least.
  const int32_t *offsets = nullptr, *positives = nullptr;
  double* optimistic = nullptr;   // [M], out: 1 + the number of keys above the best positive
  double* pessimistic = nullptr;  // [M], out: `optimistic` + the number of keys that are equal to it
};

struct SearchRequest {
  MatrixView queries;  // [M x D]
  MatrixView keys;     // [N x D], N below 2^31
  bool wants_ranks = false;
  TopKRequest top_k;   // unless wants_ranks
  RanksRequest ranks;  // if wants_ranks
  // Keys whose id equals the query's id are left out. Both or none.
  const int32_t *query_ids = nullptr, *key_ids = nullptr;
  // [N]: keys of one group count once, by the best of them. Null: all count.
  const int32_t* key_groups = nullptr;
  int threads = 0;              // 0: as many as the machine has
  int64_t workspace_bytes = 0;  // 0: the planner's default
  Control control;
};

// Throws Error. Refuses features that are not finite, and dots that float32 may not hold, before the pass.
Stats search(const SearchRequest&, Backend&);

}  // namespace infcl
