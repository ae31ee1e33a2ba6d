// A guide: another model that tells which negatives are false. Its features are frozen. A pair does not count
// if the guide finds the pair more similar than a limit that follows from the guide's dot of the positive.
// Solatorio 2024 (GISTEmbed), arXiv 2402.16829; sentence-transformers' CachedGISTEmbedLoss.
#pragma once

#include <cstdint>
#include <vector>

#include "core/hard_negative_rows.h"
#include "core/types.h"

namespace infcl {

struct Guide {
  MatrixView queries;         // [M x Dg]; no rows: the call has no guide
  MatrixView keys;            // [N x Dg]
  MatrixView hard_negatives;  // one row for each hard negative; no rows: these are not guided
  double margin = 0;
  bool relative = false;  // the margin is a fraction of the positive's dot

  bool given() const { return queries.rows > 0; }
  // The limit of an anchor. A pair whose dot equals the limit counts.
  float limit(float positive_dot) const;
};

// The guide's limits during a call, one per query. A pair is excluded above the smaller limit of its anchors.
class GuideState {
 public:
  explicit GuideState(const Guide&);

  // A backend writes the guide's dots of the positives here, and `set_limits` turns them into limits.
  float* limits() { return limits_.data(); }
  const float* limits_or_null() const { return limits_.empty() ? nullptr : limits_.data(); }
  void set_limits();

  // [hard negatives]: the guide's dots of each with its query. Empty where hard negatives are not guided.
  std::vector<float>& hard_negative_dots() { return hard_negative_dots_; }
  // For each hard negative whether it is above the limit of its query.
  std::vector<uint8_t> excluded_hard_negatives(const HardNegativeRows&) const;

 private:
  const Guide& guide_;
  std::vector<float> limits_, hard_negative_dots_;
};

}  // namespace infcl
