// The loss state: the vectors along rows and columns of similarities between the passes. The forward pass
// fills the vectors, the loss is a sum over them, and the backward pass reads the factors of the gradient.
// O(M + N) memory, serial, float64.
//
// An objective is data (objective.h) within one of four families. Each family is a class in a file of its
// own: loss_labelled.cpp, loss_listed.cpp, loss_classes.cpp, loss_sigmoid.cpp. The engine sees the class
// LossState alone, and this class has the parts that all families need.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/grid.h"
#include "core/hard_negatives.h"
#include "core/normaliser.h"
#include "core/request.h"

namespace infcl {

struct DifferentiateArgs;
struct FoldArgs;
struct LogitError;

class Ranks;

struct MeanLoss {
  double loss = 0;
  double accuracy = 0;  // fraction of the queries whose positive ranks first
};

class LossState {
 public:
  virtual ~LossState() = default;
  LossState(const LossState&) = delete;
  LossState& operator=(const LossState&) = delete;

  // Makes the rows of this state those of one rank among several. Before the passes, on all ranks. `ranks`
  // must outlive this object. Throws as Ranks does.
  virtual void join(Ranks& ranks);
  // Sets the vectors that the forward pass of a similarity fills.
  virtual void attach(int similarity, FoldArgs&);
  // Sets the vectors that the backward pass of a similarity reads. After prepare_gradient or begin_rows.
  virtual void attach(int similarity, DifferentiateArgs&) const;

  // Limits of the false-negative margin, one per query. A backend writes the positives' dots there, and
  // shift_limits then adds the margin. A mask reads the limits.
  float* limits() { return limits_.data(); }
  void shift_limits(double margin);
  HardNegativeState& hard_negatives() { return hard_negatives_; }

  // After the forward passes: adds the terms that are in no tile, so that every normaliser is complete.
  // Returns how many hard negatives the margin excludes.
  int64_t close();
  // In a fused pass: close and prepare_gradient for some queries. begin_rows comes first. Several threads may
  // call close_rows at once, each with rows of its own.
  void begin_rows() { allocate_gradient(); }
  int64_t close_rows(Range queries);

  // After close: the loss, and the outputs per row.
  MeanLoss finish_loss();
  // After finish_loss: the loss's standard error that comes from the rounding of dots to float32.
  virtual double expected_error(const LogitError&) const = 0;

  // Before the backward passes.
  void prepare_gradient();
  // After prepare_gradient: the same for hard negatives. Returns their sum of g * dot.
  double prepare_hard_negatives() { return hard_negatives_.prepare_gradient(grads_[0]); }
  // The most that an anchor of weight 1 contributes: the unit of the gradient filter.
  virtual double largest_weight() const { return r_.logit_scale / (total_weight_ > 0 ? total_weight_ : 1); }
  // The part of sum g_ij (q_i . k_j) that backends do not add: uniform terms and class positives.
  virtual double dot_sum_correction() const { return 0; }

 protected:
  explicit LossState(const ContrastiveRequest&);

  // Adds the terms of `queries` that are in no tile. Returns how many terms the margin excludes.
  virtual int64_t add_terms_outside_tiles(Range /*queries*/) { return 0; }
  // Returns the sum of the weighted losses, and writes the outputs per row.
  virtual double sum_losses() = 0;
  // Dots of the positive that ranks highest, one per query.
  virtual const std::vector<float>& ranked_positive_dots() const = 0;
  // Makes room for the factors of the gradient.
  virtual void allocate_gradient();
  // Fills the factors that belong to the anchors of `queries`.
  virtual void prepare_rows(Range queries) = 0;

  int64_t anchor_count(int normaliser) const;
  double sum_over_ranks(double mine) const;
  void write_row(int64_t query, double loss, double lse) const;
  // The standard error of the loss, from the sum over independent rows of (weight * error)^2.
  double standard_error(double squares) const;

  const ContrastiveRequest& r_;
  const Objective& o_;
  Ranks* ranks_ = nullptr;   // null: all rows are here
  const double scale2_;      // logit scale for base-2 exponentials
  double total_weight_ = 0;  // the loss is a mean over this; each family's constructor sets it

  std::vector<Normaliser> normalisers_;
  std::vector<NormaliserGrad> grads_;  // one per normaliser
  std::vector<float> limits_, row_max_dots_;
  HardNegativeState hard_negatives_;
};

// The state of the request's family. Throws Error (kAborted).
std::unique_ptr<LossState> make_loss_state(const ContrastiveRequest&);

}  // namespace infcl
