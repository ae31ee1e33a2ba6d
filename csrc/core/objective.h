// Objectives as data. An objective is a list of similarities over products of features, the normalisers
// (running log-sum-exp) that the logits of each similarity enter, and the kind of its positives. The gradient
// of a logit is then always
//   g_ij = alpha_i exp(x_ij - a_i) + beta_j exp(x_ij - b_j) - T_ij       (siglip: sigma(x_ij) - T_ij)
// so a new objective is a row of the table in objective.cpp, never a kernel.
#pragma once

#include <cstdint>

namespace infcl {

enum class ObjectiveKind { kClip, kInfoNce, kNtXent, kSupCon, kSigLip };

enum class Side { kQueries = 0, kKeys = 1 };

enum class PositiveKind {
  kLabel,  // one key per query; it enters its normalisers once, whatever similarities they sum over
  kClass,  // every other row of the same class, weighted 1 / their number
};

constexpr int kNone = -1;

// Every row of `rows` against every row of `columns`. Of a side with itself only the upper triangle is
// visited, and a row never meets itself.
struct Similarity {
  Side rows, columns;
  int row_normaliser, column_normaliser;
  bool triangle() const { return rows == columns; }
};

struct SimilarityShape {
  int64_t rows = 0, columns = 0;
  bool triangle = false;
};

inline SimilarityShape shape_of(const Similarity& p, int64_t queries, int64_t keys) {
  const int64_t sides[2] = {queries, keys};
  return {sides[static_cast<int>(p.rows)], sides[static_cast<int>(p.columns)], p.triangle()};
}

// The denominators of one direction: one per row of `anchors`.
struct NormaliserSpec {
  Side anchors;
  double weight;  // of its cross-entropies in the loss, before the mean over anchors
};

// Which similarities of an anchor count against it, as in sentence-transformers' multiple negatives losses.
enum Direction : unsigned {
  kQueryToKey = 1,
  kKeyToQuery = 2,
  kQueryToQuery = 4,
  kKeyToKey = 8,
};

struct Objective {
  static constexpr int kMaxSimilarities = 3, kMaxNormalisers = 4;

  ObjectiveKind kind;
  PositiveKind positives;
  bool sigmoid;
  int similarity_count, normaliser_count;
  Similarity similarities[kMaxSimilarities];
  NormaliserSpec normalisers[kMaxNormalisers];
};

// Whether a query's loss, and with it the gradients of its logits, is known once its row is: nothing is
// summed along columns or over several similarities. Both passes can then go through the rows together.
inline bool rows_stand_alone(const Objective& o) {
  return o.similarity_count == 1 && !o.similarities[0].triangle() &&
         o.similarities[0].column_normaliser == kNone && o.positives == PositiveKind::kLabel;
}

// `has_keys` is false for supcon over the queries alone.
Objective make_objective(ObjectiveKind, bool has_keys = true);
// The same positives as clip, against the directions in `directions`. Joint: one denominator per query, over
// all of them. Otherwise one each, and their mean.
Objective make_directions(unsigned directions, bool joint);

}  // namespace infcl
