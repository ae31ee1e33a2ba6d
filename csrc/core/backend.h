// What a device must be able to do for the engine. The engine owns rings, normalisers and the loss; a backend
// owns every loop over elements. Calls come in this order, on one thread:
//   begin, then for each key shard: load_keys, fold; later again load_keys, differentiate; and end.
#pragma once

#include <cstdint>
#include <string>

#include "core/lse.h"
#include "core/plan.h"
#include "core/types.h"

namespace infcl {

// Everything that stays the same for the whole call.
struct Problem {
  MatrixView queries;
  int64_t max_keys = 0;  // rows of the largest key shard
  double logit_scale = 1;
  bool row_lse = false, column_lse = false;
  bool gradient = false;
  bool single_block = true;  // one shard only: logits may be kept between fold and differentiate
  int threads = 0;
  int64_t workspace_bytes = 0;
  Control control;
};

// Key of row i's positive, as an index into all keys.
struct Positives {
  const int32_t* labels = nullptr;  // null: i itself
  int64_t of(int64_t row) const { return labels ? labels[row] : row; }
};

struct FoldArgs {
  Positives positives;
  int64_t key_offset = 0;          // index of the shard's first key among all keys
  LseVector* rows = nullptr;       // [M], or null
  LseVector* columns = nullptr;    // [shard rows], or null
  float* positive_dots = nullptr;  // [M] q_i . k_label(i), written when the label lies in this shard
  float* row_max_dots = nullptr;   // [M] running maximum of q_i . k_j
};

// G of this shard, g_ij = alpha exp(x_ij - a_i) + beta exp(x_ij - b_j) - positive [j = label(i)], and with it
// d_queries += G K, d_keys += G^T Q. The three factors carry the logit scale and the mean over rows.
struct DifferentiateArgs {
  Positives positives;
  int64_t key_offset = 0;
  const LseVector* rows = nullptr;     // normalised; null: no such term
  const LseVector* columns = nullptr;  // likewise
  double row_factor = 0, column_factor = 0, positive_factor = 0;
  const float* positive_dots = nullptr;  // [M] of the forward pass
  bool first_shard = true;               // d_queries holds nothing yet
  float* d_queries = nullptr;            // [M x D], or null
  float* d_keys = nullptr;               // [d_key_rows x D], or null; overwritten on the first visit of a row
  int64_t d_key_rows = 0;
};

struct BackendStats {
  std::string isa;
  int threads = 0;
  double flops = 0;
  int64_t workspace_bytes = 0, tiles = 0, tiles_reused = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Plan plan(const PlanRequest&) = 0;
  virtual void begin(const Problem&) = 0;  // claims the workspace; throws when it cannot
  virtual void check_finite(const MatrixView&, const char* name) = 0;
  virtual void load_keys(const MatrixView&) = 0;
  virtual void fold(const FoldArgs&) = 0;
  virtual double differentiate(const DifferentiateArgs&) = 0;  // returns sum_ij g_ij (q_i . k_j)
  virtual BackendStats stats() const = 0;
  virtual void end() = 0;  // releases what begin claimed; safe to call after a throw
};

}  // namespace infcl
