// The anchors of a call: everything that is a vector along queries or keys and not a matrix. Gathers what the
// forward passes fold, turns it into the loss, and prepares the factors of the gradient. O(M + N) memory,
// serial, float64.
#pragma once

#include <cstdint>
#include <vector>

#include "core/engine.h"
#include "core/grid.h"
#include "core/normaliser.h"

namespace infcl {

// Standard error of a logit made of float32 dots.
struct LogitError {
  int64_t dim;
  double longest_logit;  // that the lengths of rows allow
  double of(double logit) const;
};

class LossState {
 public:
  explicit LossState(const ContrastiveRequest&);

  // kNone gives null.
  Normaliser* normaliser(int index) { return index < 0 ? nullptr : &normalisers_[index]; }
  const NormaliserGrad* grad(int index) const { return index < 0 ? nullptr : &grads_[index]; }
  float* limits() { return limits_.data(); }
  const float* limits() const { return limits_.data(); }
  void shift_limits(double margin);
  float* positive_dots() { return positive_dots_.data(); }
  float* row_max_dots() { return row_max_dots_.data(); }
  float* positive_max_dots() { return positive_max_dots_.data(); }
  double* softplus_sums() { return softplus_sums_.data(); }
  const double* positive_grads() const { return positive_grads_.data(); }

  // Hard negatives: their dots, how far those of a query may exceed dots in tiles, and their gradients
  // (returns sum g * dot).
  float* hard_negative_dots() { return hard_negative_dots_.data(); }
  float* hard_negative_errors() { return hard_negative_errors_.data(); }
  double prepare_hard_negatives();
  const float* hard_negative_grads() const { return hard_negative_grads_.data(); }

  // After the forward passes: what they do not see joins the normalisers, hard negatives and labelled
  // positives. Returns how many hard negatives the margin excludes.
  int64_t close();
  // The same for some queries of an objective whose rows stand alone, and their part of prepare_gradient.
  // Safe for several threads with rows of their own; begin_rows comes before the first.
  void begin_rows() { allocate_gradient(); }
  int64_t close_rows(Range queries);
  // After close: loss, accuracy, per-row outputs.
  void finish_loss(ContrastiveResult&);
  // After that: standard error of the loss by the rounding of dots to float32.
  double expected_error(const LogitError&) const;
  // Before the backward passes.
  void prepare_gradient();
  // What an anchor of weight 1 contributes at most: the unit of the gradient filter.
  double largest_weight() const { return r_.logit_scale / (total_weight_ > 0 ? total_weight_ : 1); }
  // What backends leave out of sum g_ij (q_i . k_j): uniform terms and class positives.
  double dot_sum_correction() const;

 private:
  struct RowLoss {
    double loss = 0, lse = 0;
  };
  int64_t anchor_count(int normaliser) const;
  int64_t anchor_of(int normaliser, int64_t query) const;
  Base2Logit positive_logit(int64_t query) const { return {positive_dots_[query], scale_}; }
  double weight(int64_t query) const { return r_.query_weights ? r_.query_weights[query] : 1; }
  void count_classes();
  int64_t fold_hard_negatives(Range queries);
  void add_labelled_positives(Range queries);
  void allocate_gradient();
  RowLoss labelled_row(int64_t query) const;
  RowLoss sigmoid_row(int64_t query) const;
  double class_loss(int normaliser);
  double labelled_error(int64_t query, const LogitError&) const;
  double class_error(int normaliser, int64_t anchor, const LogitError&) const;
  void prepare_rows(Range queries);
  void prepare_labelled(Range queries);
  void prepare_classes();
  void prepare_sigmoid(Range queries);

  const ContrastiveRequest& r_;
  const Objective& o_;
  const Log2Scale scale_;                // of positives
  const Log2Scale hard_negative_scale_;  // of hard negatives
  const double scale2_;                  // logit scale for base-2 exponentials
  const double negative_scale2_;         // likewise, of negatives
  double total_weight_ = 0;              // what the loss is a mean over

  std::vector<Normaliser> normalisers_;
  std::vector<NormaliserGrad> grads_;
  std::vector<float> limits_, positive_dots_, row_max_dots_, positive_max_dots_;
  std::vector<float> hard_negative_dots_, hard_negative_errors_, hard_negative_grads_;
  std::vector<double> softplus_sums_, positive_grads_;
  std::vector<std::vector<int64_t>> positive_counts_;  // class positives of each anchor, per normaliser
};

}  // namespace infcl
