// The request of one call: features, objective, options, and the memory of outputs. Plain data: the binding
// checks a request before the engine sees it, so no rule is checked here.
#pragma once

#include <cstdint>

#include "core/guide.h"
#include "core/hard_negative_rows.h"
#include "core/key_lists.h"
#include "core/objective.h"
#include "core/teacher.h"
#include "core/types.h"

namespace infcl {

struct ContrastiveRequest {
  MatrixView queries;  // [M x D]
  MatrixView keys;     // [N x D]; no rows where the objective uses queries alone
  Objective objective;
  double logit_scale = 1;
  double logit_bias = 0;            // sigmoid objectives
  const int32_t* labels = nullptr;  // label positives: [M] key index; null: row i's positive is key i
  KeyLists positives;               // listed positives: the keys of each query
  // class positives: the class of each query and of each key
  const int32_t *query_classes = nullptr, *key_classes = nullptr;
  // A query and a key of equal id do not count against each other, except for the labelled positive.
  const int32_t *query_ids = nullptr, *key_ids = nullptr;
  // Listed keys do not count against their query, nor the query against them, except for labelled positives.
  KeyLists excluded;
  // Negatives whose dot exceeds the positive's dot by more than `margin` do not count.
  bool has_margin = false;
  double margin = 0;
  Guide guide;
  Teacher teacher;
  double label_smoothing = 0;
  const float* query_weights = nullptr;  // [M]: the loss is a weighted mean; null: all weights are 1
  // Rows [i * hard_negatives_per_query, (i + 1) * hard_negatives_per_query) count against query i alone, or
  // rows [hard_negative_offsets[i], hard_negative_offsets[i + 1]) where there are offsets, [M + 1], which
  // end with the last row.
  MatrixView hard_negatives;
  int64_t hard_negatives_per_query = 0;
  const int32_t* hard_negative_offsets = nullptr;
  HardNegativeRows hard_negative_rows() const { return {hard_negatives_per_query, hard_negative_offsets}; }
  // One for each row of the hard negatives: a hard negative of its query's id does not count; null: all count
  const int32_t* hard_negative_ids = nullptr;
  // Hardness times q.k is added to the logits of negatives, without a gradient of its own.
  double hardness = 0;                // of negatives in tiles
  double hard_negative_hardness = 0;  // of hard negatives

  bool bfloat16 = false;  // multiply in bfloat16 where the device can; sums stay float32

  bool gradient = false;
  // 0: exact gradients. Otherwise tiles are skipped in the gradient products, as long as no row or column
  // loses more than this fraction of its weight.
  double gradient_filter = 0;
  float* d_queries = nullptr;  // [M x D], or null when queries are frozen
  float* d_keys = nullptr;     // [d_key_rows x D], or null when keys are frozen
  int64_t d_key_rows = 0;
  float* d_hard_negatives = nullptr;  // as hard_negatives, or null
  GradientLayout d_queries_layout, d_keys_layout, d_hard_negatives_layout;

  // Per-row outputs, each [M], or all null.
  float* row_loss = nullptr;
  float* row_lse = nullptr;
  uint8_t* row_positive_first = nullptr;

  int threads = 0;              // 0: as many as the machine has
  int64_t workspace_bytes = 0;  // upper bound on scratch memory; 0: the planner's default
  Control control;
};

}  // namespace infcl
