// Objectives as data. Every softmax objective is a choice of normalisers, weights and positives over the same
// logits x_ij = s * q_i.k_j, and its logit gradient is always
//   g_ij = alpha_i exp(x_ij - a_i) + beta_j exp(x_ij - b_j) - T_ij      (a: row LSE, b: column LSE)
// so a new objective is a row of the table in objective.cpp, never a kernel.
#pragma once

#include <cstdint>

namespace infcl {

enum class ObjectiveKind { kClip, kInfoNce };

struct Objective {
  ObjectiveKind kind = ObjectiveKind::kClip;
  const char* name = "clip";
  // Weight of the row (query to key) and column (key to query) cross-entropies in the loss, before the mean
  // over rows; 0 means that the normaliser is neither accumulated nor differentiated.
  double row_weight = 0.5;
  double column_weight = 0.5;
};

Objective make_objective(ObjectiveKind);

}  // namespace infcl
