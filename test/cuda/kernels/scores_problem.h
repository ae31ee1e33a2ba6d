// A macro-block of scores with its mask, on the device as the kernels take it and as plain double-precision
// numbers.
#pragma once

#include <memory>
#include <string>

#include "dot_bound.h"

namespace test {

enum class Labels { kNone, kOwnIndex, kGiven };

struct ScoresCase {
  std::string name;
  int rows, columns, dim;
  double scale = 10;
  Labels labels = Labels::kNone;
  bool triangle = false, sigmoid = false;
  bool ids = false, limits = false, column_limits = false, classes = false, smoothing = false;
  bool nothing_counts = false;  // one id for all
  bool general = false;         // the general kernel where the plain one would do
  int row_begin = 0, column_begin = 0;
  int dim_of_rows() const { return round_up(dim, kDimAlignment); }
};

enum class Pair { kCounts, kSelf, kPositive, kMasked };

class ScoresProblem {
 public:
  ScoresProblem(const ScoresCase&, Precision);

  double dot(int i, int j) const { return dots_[static_cast<size_t>(i) * c.columns + j]; }
  double logit(int i, int j) const { return scale2 * dot(i, j) + (c.sigmoid ? bias2 : 0); }  // base 2
  Pair pair(int i, int j) const;
  bool counts(int i, int j) const { return pair(i, j) == Pair::kCounts; }
  bool class_positive(int i, int j) const {
    return c.classes && counts(i, j) && row_classes[i] == column_classes[j];
  }
  // What a dot of the kernels may be off by.
  double dot_error() const { return dot_error_; }
  // Name of the kernel for "scores_forward" or "scores_backward".
  std::string kernel(const std::string& stem, bool general = false) const;
  infcl::cuda::ScoresArgs args() const;

  const ScoresCase c;
  const Precision precision;
  double scale2, bias2;
  std::vector<int32_t> labels, row_ids, column_ids, row_classes, column_classes;
  std::vector<float> row_limits, column_limits;

 private:
  void make_mask(Random&);
  void measure();

  Matrix rows_, columns_;
  std::vector<double> dots_;
  double dot_error_ = 0;
  struct OnDevice;
  std::shared_ptr<OnDevice> device_;
};

// Every rule, ragged shapes around every tile edge, and depths that wrap the ring of stages.
std::vector<ScoresCase> scores_cases();

}  // namespace test
