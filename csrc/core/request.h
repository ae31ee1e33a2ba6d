// What one call is asked: features, objective, options, and where outputs go. Plain data: no rule is checked
// here, since the binding checks a request before the engine sees it.
#pragma once

#include <cstdint>

#include "core/objective.h"
#include "core/types.h"

namespace infcl {

struct ContrastiveRequest {
  MatrixView queries;  // [M x D]
  MatrixView keys;     // [N x D]; no rows: the objective uses queries alone
  Objective objective;
  double logit_scale = 1;
  double logit_bias = 0;            // sigmoid objectives
  const int32_t* labels = nullptr;  // label positives: [M] key index; null: row i's positive is key i
  // class positives: class of each query and key
  const int32_t *query_classes = nullptr, *key_classes = nullptr;
  // equal ids do not count against each other, unless as the labelled positive
  const int32_t *query_ids = nullptr, *key_ids = nullptr;
  bool has_margin = false;  // negatives more than `margin` closer than the positive do not count
  double margin = 0;
  double label_smoothing = 0;
  const float* query_weights = nullptr;  // [M]; the loss is then a weighted mean
  // rows [i * hard_negatives_per_query, (i + 1) * hard_negatives_per_query) count against query i alone
  MatrixView hard_negatives;
  int64_t hard_negatives_per_query = 0;
  double hard_negative_hardness = 0;  // as hardness, for them
  double hardness = 0;                // added, times q.k and without gradient, to the logits of negatives

  bool bfloat16 = false;  // compute products in bfloat16 where the device can; sums stay float32

  bool gradient = false;
  // Opt-in approximation: gradient tiles are skipped while no row or column loses more than this share of its
  // weight.
  double gradient_filter = 0;
  float* d_queries = nullptr;  // [M x D], or null when queries are frozen
  float* d_keys = nullptr;     // [d_key_rows x D], or null when keys are frozen
  int64_t d_key_rows = 0;
  float* d_hard_negatives = nullptr;  // [M * hard_negatives_per_query x D], or null
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
