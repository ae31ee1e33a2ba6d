#include "core/engine.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>

#include "core/agreement.h"
#include "core/backend.h"
#include "core/backend_session.h"
#include "core/errors.h"
#include "core/float_range.h"
#include "core/loss_state.h"
#include "core/make_problem.h"
#include "core/pass_args.h"
#include "core/ranks.h"
#include "core/refinement.h"
#include "core/run_call.h"

namespace infcl {

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t gradient_bytes(const ContrastiveRequest& r) {
  const int64_t rows = (r.d_queries ? r.queries.rows : 0) + (r.d_keys ? r.d_key_rows : 0) +
                       (r.d_hard_negatives ? r.hard_negatives.rows : 0);
  return rows * r.queries.dim * static_cast<int64_t>(sizeof(float));
}

// One call. There are three ways through the similarities:
//   forward, backward  one pass after the other: every objective, every backend
//   fused_pass         one pass for both: objectives whose rows stand alone, backends that can
//   refine_fused       a pass for the refinement alone: after a fused pass
// The first way refines inside its backward pass.
//
// Over several ranks, the backend is a RingBackend: its passes sum over all ranks. Sums that the engine
// itself makes are summed here and in the loss state.
class Call {
 public:
  Call(const ContrastiveRequest& request, Backend& backend, Ranks& ranks, const Shards& shards)
      : r_(request),
        o_(request.objective),
        backend_(backend),
        ranks_(ranks),
        shards_(shards),
        state_owner_(make_state()),
        state_(*state_owner_),
        guide_(request.guide),
        args_(request, state_, guide_),
        session_(backend, make_problem(request)) {}

  // Brings every operand, and refuses features whose logits may overflow.
  void bring_operands() {
    lengths_.queries = backend_.bring(Operand::kQueries);
    if (r_.keys.rows > 0) lengths_.keys = backend_.bring(Operand::kKeys);
    if (r_.hard_negatives.rows > 0) lengths_.hard_negatives = backend_.bring(Operand::kHardNegatives);
    for (const Operand o : {Operand::kGuideQueries, Operand::kGuideKeys, Operand::kGuideHardNegatives})
      if (frozen_view(r_, o).rows > 0) lengths_.guide = std::fmax(lengths_.guide, backend_.bring(o));
    for (const Operand o : {Operand::kTeacherQueries, Operand::kTeacherKeys})
      if (frozen_view(r_, o).rows > 0) lengths_.teacher = std::fmax(lengths_.teacher, backend_.bring(o));
    ranks_.together([&] { refuse_overflow(r_, lengths_); });
  }

  // Returns the time at which the forward pass ended.
  double run(ContrastiveResult& out) {
    const double begin = now_seconds();
    double forward_end = 0;
    if (session_.begun().fused) {
      fused_pass(out);
      forward_end = begin + backend_.stats().forward_fraction * (now_seconds() - begin);
      if (wants_refinement(out)) refine_fused(out);
    } else {
      forward(out);
      forward_end = now_seconds();
      const bool refine = wants_refinement(out);
      if (r_.gradient || refine) backward(out, refine);
    }
    refuse_not_finite(out);
    return forward_end;
  }

 private:
  void forward(ContrastiveResult& out) {
    find_limits();
    for (int p = 0; p < o_.similarity_count; ++p) {
      FoldArgs a = args_.fold(p);
      // Different threads fold the rows and the columns of a similarity, so each side needs its own sums.
      const bool shared = a.rows && a.rows == a.columns && !o_.similarities[p].triangle();
      Normaliser of_columns;
      if (shared) {
        of_columns = a.rows->blank();
        a.columns = &of_columns;
      }
      backend_.fold(a);
      if (shared) a.rows->add(of_columns);
      out.stats.masked_pairs += a.masked_pairs;
    }
    find_hard_negative_dots();
    out.stats.masked_pairs += close_over_ranks();
    finish_loss(out);
  }

  int64_t close_over_ranks() {
    double excluded = 0;
    ranks_.together([&] { excluded = static_cast<double>(state_.close()); });
    return static_cast<int64_t>(ranks_.sum(excluded));
  }

  std::unique_ptr<LossState> make_state() const {
    std::unique_ptr<LossState> state;
    ranks_.together([&] { state = make_loss_state(r_); });
    if (!ranks_.alone()) state->join(ranks_);
    return state;
  }

  // Forward and backward pass of the only similarity. Hard negatives come first, since `close_rows` adds
  // their dots.
  void fused_pass(ContrastiveResult& out) {
    find_limits();
    find_hard_negative_dots();
    state_.begin_rows();
    std::atomic<int64_t> excluded{0};
    FusedArgs a;
    a.fold = args_.fold(0);
    a.differentiate = args_.gradient(0);
    a.rows = r_.queries.rows;
    a.close = [&](Range rows) { excluded += state_.close_rows(rows); };
    const DifferentiateResult sums = backend_.fold_and_differentiate(a);
    out.stats.masked_pairs = a.fold.masked_pairs + excluded;
    finish_loss(out);
    finish_gradient(out, sums, false);
  }

  bool wants_refinement(const ContrastiveResult& out) const {
    return session_.begun().refines_loss && needs_refinement(r_, lengths_, state_, out.loss);
  }

  // The backward passes. Without gradients they only refine the loss.
  void backward(ContrastiveResult& out, bool refine) {
    ranks_.together([&] { state_.prepare_gradient(); });
    DifferentiateResult sums;
    bool written[2] = {false, false};
    for (int p = 0; p < o_.similarity_count; ++p) {
      const int rows = static_cast<int>(o_.similarities[p].rows),
                columns = static_cast<int>(o_.similarities[p].columns);
      DifferentiateArgs a = r_.gradient ? args_.gradient(p) : args_.logit_gradient(p);
      if (refine) a.refinement = wanted_refinement();
      a.gradients.overwrite_rows = !written[rows];
      a.gradients.overwrite_columns = !written[columns];
      const DifferentiateResult d = backend_.differentiate(a);
      written[rows] = written[columns] = true;
      sums.dot_sum += d.dot_sum;
      sums.sum += d.sum;
      change_loss(out, d.refinement);
    }
    if (r_.gradient) {
      finish_gradient(out, sums, refine);
    } else if (refine) {
      refine_hard_negatives(out);
    }
  }

  // Refines the loss of a fused pass. The loss tells whether to refine, and is known only after that pass.
  void refine_fused(ContrastiveResult& out) {
    DifferentiateArgs a = args_.logit_gradient(0);
    a.refinement = wanted_refinement();
    change_loss(out, backend_.differentiate(a).refinement);
    refine_hard_negatives(out);
  }

  // Looks at the numbers of the result. Where a gradient is not finite, the sum over it is not finite either.
  // refuse_overflow has excluded all that features could add to that. All ranks have the same numbers.
  void refuse_not_finite(const ContrastiveResult& out) const {
    if (std::isfinite(out.loss) && std::isfinite(out.logit_scale_grad) && std::isfinite(out.logit_bias_grad))
      return;
    ranks_.together([] {
      throw Error(ErrorCode::kNotFinite, "loss",
                  "logits overflow float32: queries, keys or logitScale are too large");
    });
  }

  void find_limits() {
    find_guide_limits();
    if (!r_.has_margin) return;
    backend_.positive_dots(r_.labels, state_.limits());
    state_.shift_limits(r_.margin);
  }

  void find_guide_limits() {
    if (!r_.guide.given()) return;
    backend_.guide_positive_dots(r_.labels, guide_.limits());
    guide_.set_limits();
    std::vector<float>& hard = guide_.hard_negative_dots();
    if (hard.empty()) return;
    backend_.guide_hard_negative_dots(hard.data());
    state_.hard_negatives().exclude(guide_.excluded_hard_negatives(r_.hard_negative_rows()));
  }

  void find_hard_negative_dots() {
    if (r_.hard_negatives.rows > 0)
      backend_.hard_negative_dots(state_.hard_negatives().dots(), state_.hard_negatives().errors());
  }

  DifferentiateArgs::Refinement wanted_refinement() const {
    return {(r_.logit_scale + r_.hardness) / r_.logit_scale,
            smallest_refined_g(r_, lengths_, shards_.total(Side::kQueries), shards_.total(Side::kKeys))};
  }

  static void change_loss(ContrastiveResult& out, double change) {
    // A dot below float32's range has weight 0 and an infinite error, so the change is not a number.
    if (std::isfinite(change)) out.loss += change;
  }

  // Hard negatives are in no tile, so they are refined beside the similarities.
  void refine_hard_negatives(ContrastiveResult& out) {
    if (r_.hard_negatives.rows == 0) return;
    ranks_.together([&] { state_.prepare_hard_negatives(); });
    differentiate_hard_negatives(out, false, true);
  }

  void differentiate_hard_negatives(ContrastiveResult& out, bool gradients, bool refine) {
    HardNegativeArgs a;
    a.g = state_.hard_negatives().grads();
    a.gradients = gradients;
    a.dots = refine ? state_.hard_negatives().dots() : nullptr;
    const double change = backend_.differentiate_hard_negatives(a);
    if (refine) change_loss(out, (r_.logit_scale + r_.hard_negative_hardness) / r_.logit_scale * change);
  }

  void finish_loss(ContrastiveResult& out) {
    const MeanLoss mean = state_.finish_loss();
    out.loss = mean.loss;
    out.accuracy = mean.accuracy;
    refuse_not_finite(out);
  }

  void finish_gradient(ContrastiveResult& out, const DifferentiateResult& sums, bool refine) {
    double dot_sum = ranks_.sum(state_.dot_sum_correction()) + sums.dot_sum;
    if (r_.hard_negatives.rows > 0) {
      double of_hard_negatives = 0;
      ranks_.together([&] { of_hard_negatives = state_.prepare_hard_negatives(); });
      dot_sum += ranks_.sum(of_hard_negatives);
      differentiate_hard_negatives(out, true, refine);
    }
    backend_.finish();
    // The factors include s, so G here is s times dL/dx:  dL/ds = sum g_ij (q_i . k_j) / s
    out.logit_scale_grad = dot_sum / r_.logit_scale;
    if (o_.sigmoid()) out.logit_bias_grad = sums.sum / r_.logit_scale;
  }

  const ContrastiveRequest& r_;
  const Objective& o_;
  Backend& backend_;
  Ranks& ranks_;
  const Shards& shards_;
  const std::unique_ptr<LossState> state_owner_;
  LossState& state_;
  GuideState guide_;
  PassArgs args_;
  const BackendSession session_;
  RowLengths lengths_;
};

}  // namespace

ContrastiveResult run_call(const ContrastiveRequest& r, Backend& backend, Ranks& ranks,
                           const Shards& shards) {
  const double start = now_seconds();
  ContrastiveResult out;
  Call call(r, backend, ranks, shards);
  call.bring_operands();
  const double forward_end = call.run(out);
  const double end = now_seconds();
  static_cast<BackendStats&>(out.stats) = backend.stats();
  out.stats.peak_bytes = out.stats.workspace_bytes + gradient_bytes(r);
  out.stats.seconds = end - start;
  out.stats.forward_seconds = forward_end - start;
  out.stats.backward_seconds = end - forward_end;
  return out;
}

ContrastiveResult contrastive(const ContrastiveRequest& r, Backend& backend) {
  Ranks alone;
  return run_call(r, backend, alone, Shards({shard_of(r)}));
}

}  // namespace infcl
