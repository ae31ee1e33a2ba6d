#include "core/float_range.h"

#include <cfloat>
#include <cmath>
#include <string>

#include "core/base2_logit.h"
#include "core/errors.h"

namespace infcl {

namespace {

// An eighth of float32's range. The factor of 8 leaves room for sums, and for the rounding of features
// to bfloat16.
constexpr double kMost = FLT_MAX / 8;

std::string text(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

// The operation that an error names, and what its caller can do.
struct Operation {
  const char *name, *remedy;
};
constexpr Operation kLoss = {"loss", "normalise the rows of queries and keys, or lower logitScale"};
constexpr Operation kSearch = {"search", "normalise the rows of queries and keys"};

[[noreturn]] void refuse(const char* what, const std::string& why, const Operation& operation = kLoss) {
  throw Error(
      ErrorCode::kNotFinite, operation.name,
      std::string("Expected ") + what + " that float32 can hold but " + why + ": " + operation.remedy);
}

// Logits of frozen features of another model, whose rows have at most this length.
void refuse_frozen_overflow(const char* option, double length, double scale) {
  if (scale * length * length < kMost) return;
  throw Error(ErrorCode::kNotFinite, kLoss.name,
              std::string("Expected logits of options.") + option +
                  " that float32 can hold but its longest row has length " + text(length) +
                  ": normalise its rows");
}

}  // namespace

double longest_product(const Objective& o, const RowLengths& lengths) {
  double longest = 0;
  for (int p = 0; p < o.similarity_count; ++p)
    longest = std::fmax(longest, lengths.of(o.similarities[p].rows) * lengths.of(o.similarities[p].columns));
  return longest;
}

void refuse_dot_overflow(const RowLengths& lengths) {
  const double dot = lengths.queries * lengths.keys;
  if (!(dot < kMost)) refuse("scores", "lengths of rows allow " + text(dot), kSearch);
}

void refuse_overflow(const ContrastiveRequest& r, const RowLengths& lengths) {
  const double row = std::fmax(std::fmax(lengths.queries, lengths.keys), lengths.hard_negatives);
  if (!(row < kMost)) refuse("features", "the longest row has length " + text(row));
  const double of_tiles = longest_product(r.objective, lengths),
               of_hard_negatives = lengths.queries * lengths.hard_negatives,
               similarity = std::fmax(of_tiles, of_hard_negatives);
  if (!(similarity < kMost)) refuse("similarities", "lengths of rows allow " + text(similarity));
  refuse_frozen_overflow("guide", lengths.guide, 1);
  refuse_frozen_overflow("teacher", lengths.teacher, std::fmax(1, kLog2E * r.teacher.logit_scale));
  const double scale = kLog2E * (r.logit_scale + std::fmax(r.hardness, r.hard_negative_hardness));
  if (!(scale < kMost)) refuse("logits", "logitScale with hardness is " + text(scale / kLog2E));
  // A row of a sigmoid objective has no denominator, so its terms add up.
  const double terms = r.objective.sigmoid() ? static_cast<double>(r.keys.rows) : 1;
  const double logit = scale * similarity + (r.objective.sigmoid() ? kLog2E * std::fabs(r.logit_bias) : 0);
  if (!(logit * terms < kMost))
    refuse("logits", "lengths of rows, logitScale and logitBias allow " + text(logit / kLog2E));
  // The sum of |dL/dx| along a row or a column is at most 16. The bound includes labels, smoothing and
  // both normalisers. A teacher's term has its own weight.
  const double most = 16 * (1 + r.teacher.weight) * r.logit_scale * row * terms;
  if (r.gradient && !(most < kMost))
    refuse("gradients", "lengths of rows and logitScale allow " + text(most));
}

}  // namespace infcl
