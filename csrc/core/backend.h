// The work that the engine asks of a device. The engine owns normalisers and the loss; a backend owns every
// loop over elements. Calls come on one thread, in this order:
//   begin; bring, for each operand; positive_dots, where a margin needs them;
//   forward passes: fold, for each similarity; hard_negative_dots;
//   backward passes: differentiate, for each similarity; differentiate_hard_negatives; finish;
//   end.
// A fused pass, fold_and_differentiate, stands in for fold and differentiate, and hard_negative_dots come
// before it. A search has one forward pass: begin; bring, twice; best_dots; top_k or count_ranks; end.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/backend_stats.h"
#include "core/errors.h"
#include "core/grid.h"
#include "core/hard_negative_rows.h"
#include "core/key_lists.h"
#include "core/normaliser.h"
#include "core/objective.h"
#include "core/operand.h"
#include "core/pair_mask.h"
#include "core/search_args.h"
#include "core/teacher.h"
#include "core/types.h"

namespace infcl {

// Features of an operand, and the memory that its gradient goes to. No rows: the call has no such operand.
struct ProblemMatrix {
  MatrixView view;
  float* gradient = nullptr;  // of its first rows; null: not wanted
  int64_t gradient_rows = 0;
  GradientLayout gradient_layout;

  bool on_device() const { return view.place.on_device || (gradient && gradient_layout.place.on_device); }
};

// Every row of one operand against every row of another.
struct ProblemSimilarity {
  Operand rows = Operand::kQueries, columns = Operand::kKeys;
  SimilarityShape shape;
};

// Some rows of a similarity against columns that are no operand: another rank has sent them. Whatever passes
// read along the columns begins with the first of these columns.
struct GuestVisit {
  int64_t rows = 0;       // of the operand, the first ones
  ProblemMatrix columns;  // with memory for their gradient
};

// Everything that stays the same for the whole call.
struct Problem {
  ProblemMatrix matrices[kOperandCount];
  ProblemSimilarity similarities[Objective::kMaxSimilarities];
  int similarity_count = 0;
  std::vector<SimilarityShape> visits;  // of guests, in one pass over all similarities
  HardNegativeRows hard_negative_rows;  // the CPU backend alone knows offsets
  int64_t dim = 0;                      // of all matrices but those of a guide or a teacher
  double logit_scale = 1;               // of the logits in tiles; positives and gradients know their own
  double logit_bias = 0;                // sigmoid only: a softmax does not see it
  double teacher_logit_scale = 1;
  bool sigmoid = false;
  bool bfloat16 = false;  // products of bfloat16 values, where the device has them
  bool gradient = false;
  bool may_fuse = false;             // gradients are wanted, and rows stand alone
  bool scores_in_gradients = false;  // until the backward pass, a host's gradients may hold scores
  int threads = 0;
  int64_t workspace_bytes = 0;
  SearchProblem search;
  Control control;

  const ProblemMatrix& matrix(Operand o) const { return matrices[static_cast<int>(o)]; }
  ProblemMatrix& matrix(Operand o) { return matrices[static_cast<int>(o)]; }
};

// How a backend will serve the call that it has begun.
struct BeginResult {
  int64_t steps = 0;          // by which each pass over all similarities advances Problem::control
  bool fused = false;         // wants fold_and_differentiate, not fold and differentiate
  bool refines_loss = false;  // knows DifferentiateArgs::Refinement and HardNegativeArgs::dots
};

// Where the positives of a similarity are. At most one of the two kinds, labelled and classes, is set.
struct Positives {
  // Row i's positive is column label(i). Backends leave its logit out of all sums: the engine adds it.
  bool labelled = false;
  const int32_t* labels = nullptr;  // null: i itself
  int64_t first_column = 0;         // that labels count from: over several ranks, they count all ranks' keys
  // Where there are lists, each key in row i's list is a positive of row i, and `label` has no meaning.
  // Vectors of positives then have one entry for each entry of the lists. The CPU backend alone knows
  // lists.
  KeyLists lists;
  // Hardness gives negatives a larger logit scale than labelled positives. A positive's exponential on the
  // scale of negatives may overflow, so backends mask it.
  bool other_scale = false;
  const int32_t *row_classes = nullptr, *column_classes = nullptr;  // equal class: a positive

  int64_t label(int64_t row) const { return labels ? labels[row] - first_column : row; }
};

struct FoldArgs {
  int similarity = 0;
  const GuestVisit* visit = nullptr;  // null: all rows of the similarity against all its columns
  Positives positives;
  PairMask mask;
  Normaliser *rows = nullptr, *columns = nullptr;
  float* positive_dots = nullptr;  // [rows], labelled: q_i . k_label(i), from the same product as the logits
  float* row_max_dots = nullptr;   // [rows] running maximum of dots that are not masked, or null
  float* positive_max_dots = nullptr;  // [rows] class positives: running maximum of their dots, or null
  double* softplus_sums = nullptr;     // [rows] sigmoid: sum_j softplus(x_ij)
  TeacherFold teacher;
  int64_t masked_pairs = 0;  // out
};

struct DifferentiateArgs {
  int similarity = 0;
  const GuestVisit* visit = nullptr;  // as in FoldArgs
  Positives positives;
  PairMask mask;
  const NormaliserGrad *rows = nullptr, *columns = nullptr;
  const float* positive_dots = nullptr;    // labelled: of the forward pass
  const double* positive_grads = nullptr;  // labelled: g at the positives, every term included
  TeacherGrad teacher;

  // Products of G with the features of both sides, for each operand whose gradient the Problem names. In a
  // triangle both sides add to one gradient.
  struct Gradients {
    bool wanted = false;
    // Whether no earlier similarity has written the gradient of that side.
    bool overwrite_rows = true, overwrite_columns = true;
  } gradients;

  // A row or column has lost the sum of |g| over its skipped tiles. A tile may be skipped while no row or
  // column of it then has lost more than `bound`. 0: no tile is skipped.
  struct Filter {
    double bound = 0;
  } filter;

  // Asks for the sum over pairs of d loss / d dot_ij, times the dot in float64 less the dot in float32.
  // d loss / d dot_ij is loss_per_g g_ij, but g_ij at labelled positives of another scale. 0: not wanted.
  struct Refinement {
    double loss_per_g = 0;
    float smallest_refined_g = 0;  // pairs of smaller |g| need no refinement
    bool wanted() const { return loss_per_g > 0; }
  } refinement;
};

struct DifferentiateResult {
  // sum of g_ij (q_i . k_j), without uniform terms, class positives, and a teacher's part of negatives
  double dot_sum = 0;
  double sum = 0;         // sum of g_ij, sigmoid only
  double refinement = 0;  // to be added to the loss, where it was wanted
};

// Both passes of a similarity whose rows stand alone.
struct FusedArgs {
  FoldArgs fold;
  DifferentiateArgs differentiate;
  int64_t rows = 0;  // of the similarity
  // A backend calls it on any thread between the forward and the backward pass of some rows, once their sums
  // are complete. A sigmoid has no sums, so there the positives in the tiles so far must be known.
  std::function<void(Range rows)> close;
};

struct HardNegativeArgs {
  const float* g = nullptr;  // of each hard negative
  // Where gradients are wanted: d_query_i += sum_h g_ih k_ih, d_key_ih = g_ih q_i, as the Problem names them.
  bool gradients = false;
  const float* dots = nullptr;  // of the forward pass, where a refinement is wanted; else null
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Whether it knows Problem::visits and the visits in arguments of passes.
  virtual bool takes_guests() const { return false; }
  // Claims the workspace; throws when it cannot.
  virtual BeginResult begin(const Problem&) = 0;
  // Brings the features to where passes read them. Refuses features that are not finite. Returns the length
  // of the longest row.
  virtual double bring(Operand) = 0;
  // out[i] = q_i . k_label(i), from which limits start: no dot of equal rows in a tile exceeds it. Backends
  // that do not add up products as their tiles do return the dot plus the largest difference by rounding.
  virtual void positive_dots(const int32_t* labels, float* out) = 0;
  // With guests: the same for queries whose label is among `columns`. The first of the columns has the number
  // `first_column`.
  virtual void positive_dots_among(const MatrixView& /*columns*/, int64_t /*first_column*/,
                                   const int32_t* /*labels*/, float* /*out*/) {}
  // Dots of a guide, as positive_dots and hard_negative_dots. Dots of equal rows in a tile have the same
  // bits.
  virtual void guide_positive_dots(const int32_t* /*labels*/, float* /*out*/) { refuse_guide(); }
  virtual void guide_hard_negative_dots(float* /*out*/) { refuse_guide(); }
  virtual void fold(FoldArgs&) = 0;
  virtual DifferentiateResult differentiate(const DifferentiateArgs&) = 0;
  // A fused pass goes tile row by tile row, so that the scores of a tile row wait for its own sums only. The
  // default is one pass after the other.
  virtual DifferentiateResult fold_and_differentiate(FusedArgs& args) {
    fold(args.fold);
    args.close({0, args.rows});
    return differentiate(args.differentiate);
  }
  // dots[h] = q_i . k_h for each hard negative h of query i. errors[i] is 0 before. It rises to the most by
  // which a dot of query i may exceed the dot of equal rows in a tile. Where both have the same bits, it
  // stays 0.
  virtual void hard_negative_dots(float* dots, float* errors) = 0;
  // Returns sum g (the dot in float64 - the dot) where it is wanted, else 0.
  virtual double differentiate_hard_negatives(const HardNegativeArgs&) = 0;
  // out[i] = the largest of q_i . k_j over the keys j in keys[offsets[i]] to before keys[offsets[i + 1]], one
  // at least. Dots have the bits of a search.
  virtual void best_dots(const int32_t* /*offsets*/, const int32_t* /*keys*/, float* /*out*/) {
    refuse_search();
  }
  virtual void top_k(const TopKArgs&) { refuse_search(); }
  virtual void count_ranks(const RanksArgs&) { refuse_search(); }
  // After the last gradient: all of them are with the caller when this returns.
  virtual void finish() {}
  virtual BackendStats stats() const = 0;
  virtual void end() = 0;  // releases the claims of begin; safe to call after a throw

 private:
  [[noreturn]] static void refuse_guide() {
    throw Error(ErrorCode::kBackendUnavailable, "guide",
                "Expected the backend 'cpu' for a guide but received one that takes none");
  }
  [[noreturn]] static void refuse_search() {
    throw Error(ErrorCode::kBackendUnavailable, "search",
                "Expected the backend 'cpu' for a search but received one that cannot search");
  }
};

}  // namespace infcl
