// What a device must be able to do for the engine. The engine owns rings, normalisers and the loss; a backend
// owns every loop over elements. Calls come in this order, on one thread:
//   begin; then for each similarity load, fold; later for each similarity again load, differentiate; finish;
//   and end.
// Where rows stand alone and the backend can, load and fold_and_differentiate take the place of both.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>

#include "core/backend_stats.h"
#include "core/grid.h"
#include "core/normaliser.h"
#include "core/objective.h"
#include "core/types.h"

namespace infcl {

// A matrix that the call will name later. No rows: there is none.
struct ProblemMatrix {
  MatrixView view;
  float* gradient = nullptr;  // of its first rows, or null
  int64_t gradient_rows = 0;
  GradientLayout gradient_layout;

  bool on_device() const { return view.place.on_device || (gradient && gradient_layout.place.on_device); }
};

// Everything that stays the same for the whole call.
struct Problem {
  ProblemMatrix queries, keys, hard_negatives;
  SimilarityShape similarities[Objective::kMaxSimilarities];
  int similarity_count = 0;
  int64_t dim = 0;
  double logit_scale = 1;  // of the logits in tiles; positives and gradients know their own
  double logit_bias = 0;   // sigmoid only: a softmax does not see it
  bool sigmoid = false;
  bool bfloat16 = false;  // products of bfloat16 values, where the device has them
  bool gradient = false;
  bool keep_scores = true;      // between fold and differentiate, where there is room; not when slabs travel
  bool lend_gradients = false;  // until differentiate, a host's gradients may hold anything
  bool fused = false;           // fold_and_differentiate will be called instead of fold and differentiate
  int threads = 0;
  int64_t workspace_bytes = 0;
  Control control;
};

// Operands of a similarity.
struct SimilarityOperands {
  int similarity = 0;
  MatrixView rows, columns;
};

// Pairs that count neither for nor against: equal ids, and dots above an anchor's limit. Null: no such rule.
struct PairMask {
  const int32_t *row_ids = nullptr, *column_ids = nullptr;
  const float *row_limits = nullptr, *column_limits = nullptr;
  bool any() const { return row_ids || row_limits || column_limits; }
};

// Where the positives of a similarity are. At most one of the two kinds is set.
struct Positives {
  bool labelled =
      false;  // row i's positive is column label(i): left out of the similarity, the engine adds it
  const int32_t* labels = nullptr;  // null: i itself
  // Labelled positives have another logit scale than the tile's, in which their exponential may be anything.
  bool apart = false;
  const int32_t *row_classes = nullptr, *column_classes = nullptr;  // equal class: a positive

  int64_t label(int64_t row) const { return labels ? labels[row] : row; }
};

struct FoldArgs {
  Positives positives;
  PairMask mask;
  Normaliser *rows = nullptr, *columns = nullptr;
  float* positive_dots = nullptr;  // [rows], labelled: q_i . k_label(i), from the same product as the logits
  float* row_max_dots = nullptr;   // [rows] running maximum over what is not masked, or null
  float* positive_max_dots = nullptr;  // [rows] class positives: running maximum over them, or null
  double* softplus_sums = nullptr;     // [rows] sigmoid: sum_j softplus(x_ij)
  int64_t masked_pairs = 0;            // out
};

struct DifferentiateArgs {
  Positives positives;
  PairMask mask;
  const NormaliserGrad *rows = nullptr, *columns = nullptr;
  double sigmoid_factor = 0;                      // sigmoid: factor of sigma(x)
  const float* positive_dots = nullptr;           // labelled: of the forward pass
  const double* positive_grads = nullptr;         // labelled: g at the positives, everything included
  float *d_rows = nullptr, *d_columns = nullptr;  // [rows x dim], [d_column_rows x dim]; equal for a triangle
  int64_t d_column_rows = 0;
  // A tile is left out of the gradients while what each of its rows and columns has lost, the sum of |g| over
  // its tiles left out, stays within this. 0: none is.
  double filter = 0;
  // What the float32 rounding of each dot does to the loss is wanted, d loss / d dot being `loss_per_g` g_ij
  // (1 at labelled positives that are apart); |g| up to `negligible_g` may be left out. 0: it is not.
  double loss_per_g = 0;
  float negligible_g = 0;
  bool overwrite_rows = true, overwrite_columns = true;  // no earlier similarity has written them
};

struct DifferentiateResult {
  double dot_sum = 0;     // sum of g_ij (q_i . k_j), without uniform terms and class positives
  double sum = 0;         // sum of g_ij, sigmoid only
  double refinement = 0;  // to be added to the loss, where it was wanted
};

// Negatives of one query alone: rows [i * per_query, (i + 1) * per_query) of `keys` count against query i.
struct HardNegatives {
  MatrixView queries, keys;
  int64_t per_query = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Claims the workspace; throws when it cannot. Returns the number of steps by which each pass over all
  // similarities advances Problem::control.
  virtual int64_t begin(const Problem&) = 0;
  // Returns the length of the longest row.
  virtual double check_finite(const MatrixView&, const char* name) = 0;
  // Whether DifferentiateResult::refinement and hard_negative_dots_error are known.
  virtual bool refines_loss() const { return false; }
  // out[i] = q_i . k_label(i) as limits start from it: no dot of equal rows in a tile exceeds it. It is their
  // dot, where the backend has the bits of tiles, and else larger by what roundings may come to.
  virtual void positive_dots(const MatrixView& queries, const MatrixView& keys, const int32_t* labels,
                             float* out) = 0;
  virtual void load(const SimilarityOperands&) = 0;
  virtual void fold(FoldArgs&) = 0;
  virtual DifferentiateResult differentiate(const DifferentiateArgs&) = 0;
  // Both passes of a similarity whose rows stand alone, a tile row after another, so that a block's logits
  // need to wait for its own sums only. `close` is called, by any thread, once those of some rows are
  // complete (a sigmoid has none: once their positives among the columns up to here are known), and before
  // their gradients are formed. Called only where `can_fuse`.
  virtual bool can_fuse() const { return false; }
  virtual DifferentiateResult fold_and_differentiate(FoldArgs&, const DifferentiateArgs&,
                                                     const std::function<void(Range rows)>& /*close*/) {
    throw std::logic_error("this backend takes one pass after the other");
  }
  // dots[i * per_query + h] = q_i . k_(i, h). errors[i], 0 before, is raised to what a dot of query i may
  // exceed that of equal rows in a tile by; where the backend has the bits of tiles it stays 0.
  virtual void hard_negative_dots(const HardNegatives&, float* dots, float* errors) = 0;
  // sum g (the dot in float64 - dots)
  virtual double hard_negative_dots_error(const HardNegatives&, const float* /*dots*/, const float* /*g*/) {
    throw std::logic_error("this backend does not refine losses");
  }
  // d_queries_i += sum_h g_ih k_ih, d_keys_ih = g_ih q_i; either may be null
  virtual void differentiate_hard_negatives(const HardNegatives&, const float* g, float* d_queries,
                                            float* d_keys) = 0;
  // After the last gradient: all of them are with the caller when this returns.
  virtual void finish() {}
  virtual BackendStats stats() const = 0;
  virtual void end() = 0;  // releases what begin claimed; safe to call after a throw
};

}  // namespace infcl
