// Objectives as data. An objective is a list of similarities, the normalisers (running log-sum-exp) that the
// logits of each similarity enter, and the family of its loss. The gradient of a logit is then always
//   g_ij = alpha_i exp(x_ij - a_i) + beta_j exp(x_ij - b_j) - T_ij       (siglip: sigma(x_ij) - T_ij)
// So a new objective of a known family is a row of the table in objective.cpp, and needs no kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace infcl {

enum class ObjectiveKind { kClip, kInfoNce, kNtXent, kSupCon, kSigLip };

enum class Side { kQueries = 0, kKeys = 1 };

enum class LossFamily {
  kLabelledSoftmax,  // one positive key per query; it enters each of its normalisers once
  kClassSoftmax,     // positives are all other rows of the same class, weighted 1 / their number
  kSigmoid,          // one positive key per query, and no normalisers
  kListedSoftmax,    // a list of positive keys per query; each enters a denominator of its own
};

constexpr int kNone = -1;
// The similarity in which accuracy ranks a query's positive: the first of every objective.
constexpr int kRankedSimilarity = 0;

// Every row of `rows` against every row of `columns`. Where both are one side, a pass visits only the upper
// triangle, and a row never meets itself.
struct Similarity {
  Side rows, columns;
  int row_normaliser, column_normaliser;
  bool triangle() const { return rows == columns; }
};

struct SimilarityShape {
  int64_t rows = 0, columns = 0;
  bool triangle = false;
};

inline SimilarityShape shape_of(const Similarity& s, int64_t queries, int64_t keys) {
  const int64_t sides[2] = {queries, keys};
  return {sides[static_cast<int>(s.rows)], sides[static_cast<int>(s.columns)], s.triangle()};
}

// The denominators of one direction: one per row of `anchors`.
struct NormaliserSpec {
  Side anchors;
  double weight;  // of its cross-entropies in the loss, before the mean over anchors
};

// Which pairs of sides count against an anchor, as in sentence-transformers' multiple negatives losses.
enum Direction : unsigned {
  kQueryToKey = 1,
  kKeyToQuery = 2,
  kQueryToQuery = 4,
  kKeyToKey = 8,
};

// Facts about an objective that its family does not decide.
enum ObjectiveTrait : unsigned {
  kPaired = 1,       // key i is the pair of query i, so there are as many keys as queries
  kTakesLabels = 2,  // keys may be in any order, or compared in several directions
  kTakesHardNegatives = 4,
  kTakesLists = 8,    // a query may have several positives
  kTakesFrozen = 16,  // frozen features of other models: a guide, a teacher
};

struct Objective {
  static constexpr int kMaxSimilarities = 3, kMaxNormalisers = 4;

  ObjectiveKind kind;
  const char* name;
  LossFamily family;
  unsigned traits;  // bits of ObjectiveTrait
  int similarity_count, normaliser_count;
  Similarity similarities[kMaxSimilarities];
  NormaliserSpec normalisers[kMaxNormalisers];

  bool has(ObjectiveTrait trait) const { return (traits & trait) != 0; }
  bool sigmoid() const { return family == LossFamily::kSigmoid; }
  bool labelled() const { return family != LossFamily::kClassSoftmax; }
  // Whether rows of one side are compared with each other.
  bool triangles() const {
    for (int p = 0; p < similarity_count; ++p)
      if (similarities[p].triangle()) return true;
    return false;
  }
};

// Whether one row of one similarity tells the loss of a query, and so the gradients of its logits: nothing is
// summed along columns or over several similarities. One fused pass can then do the work of both passes.
inline bool rows_stand_alone(const Objective& o) {
  return o.similarity_count == 1 && !o.similarities[0].triangle() &&
         o.similarities[0].column_normaliser == kNone && o.labelled();
}

// None: no objective has this name.
std::optional<ObjectiveKind> objective_kind(const std::string& name);
// `has_keys` is false for supcon over the queries alone.
Objective make_objective(ObjectiveKind, bool has_keys = true);
// The same positives as clip, against the directions in `directions`. Joint: each query has one denominator
// over all directions. Otherwise each direction has its own, and the loss is the mean of their losses.
Objective make_directions(unsigned directions, bool joint);
// The same objective with a list of positives for each query, and any number of keys. For those with the
// trait kTakesLists.
Objective with_listed_positives(Objective);

}  // namespace infcl
