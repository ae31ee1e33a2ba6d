// The family of listed softmax: clip and infonce where each query has a list of positives. Each positive p of
// an anchor has a denominator of its own, of p and all that counts against the anchor:
//
//   loss = mean_p log(1 + S / e^x_p),  S = sum of e^x over the anchor's negatives, hard ones included
//
// Other positives of the anchor are no negatives. Tiles hold no positive, so the forward pass leaves S in the
// normaliser. The gradient at a negative is w e^x_j mean_p 1 / (e^x_p + S). So the backward pass reads one
// normaliser for all positives: its log-sum-exp is -log mean_p 1 / (e^x_p + S).
//
// Refuses label smoothing and margins, which are defined for one positive.
#include <algorithm>
#include <cmath>

#include "core/backend.h"
#include "core/loss_families.h"
#include "core/refinement.h"

namespace infcl {

namespace {

// The pairs of each anchor of one normaliser, and what they add to the loss. A pair is an entry of the lists.
struct AnchorPairs {
  std::vector<int64_t> offsets;  // [anchors + 1]
  std::vector<int64_t> pairs;    // those of each anchor; empty: the pairs in order
  double weight = 0;             // of each anchor's cross-entropy; a query's own weight multiplies it

  // For each pair: its cross-entropy, and the derivative at its positive. Neither is divided by the number of
  // the anchor's pairs.
  std::vector<double> losses, slopes;
  // [anchors]: the mean of -slope, and the largest logit that matters
  std::vector<double> mean_misses, largest_logits;

  int64_t size(int64_t anchor) const { return offsets[anchor + 1] - offsets[anchor]; }
  template <class F>
  void for_each(int64_t anchor, F f) const {
    for (int64_t at = offsets[anchor]; at < offsets[anchor + 1]; ++at) f(pairs.empty() ? at : pairs[at]);
  }
};

class ListedLossState final : public LossState {
 public:
  explicit ListedLossState(const ContrastiveRequest& r)
      : LossState(r),
        lists_(r.positives),
        positive_scale_(log2_scale(r.logit_scale)),
        positive_dots_(static_cast<size_t>(pair_count()), 0.f),
        best_dots_(static_cast<size_t>(r.queries.rows), -HUGE_VALF),
        mean_lse_(static_cast<size_t>(r.queries.rows), std::nan("")) {
    for (int64_t i = 0; i < r.queries.rows; ++i) total_weight_ += weight(i);
    for (int n = 0; n < o_.normaliser_count; ++n)
      anchors_.push_back(o_.normalisers[n].anchors == Side::kQueries ? pairs_of_queries() : pairs_of_keys());
    for (int n = 0; n < o_.normaliser_count; ++n) make_room(n);
  }

  void attach(int similarity, FoldArgs& a) override {
    LossState::attach(similarity, a);
    a.positive_dots = positive_dots_.data();
  }
  void attach(int similarity, DifferentiateArgs& a) const override {
    LossState::attach(similarity, a);
    a.positive_dots = positive_dots_.data();
    a.positive_grads = positive_grads_.data();
  }

  // Of the anchors of both sides the smaller one: the filter then loses no more of either.
  double largest_weight() const override {
    return r_.logit_scale / std::max(total_weight_, static_cast<double>(key_count_));
  }

  // The derivatives of an anchor are mean_p of a softmax at its negatives, and -slope / |P| at its positives.
  // Each part adds up to the mean of 1 - softmax(x_p), so their squares add up to at most 2 times its square.
  // The errors of the two sides depend on each other, so both add up.
  double expected_error(const LogitError& error) const override {
    double sum = 0;
    for (int n = 0; n < o_.normaliser_count; ++n) {
      const AnchorPairs& a = anchors_[n];
      double squares = 0;
      for (int64_t i = 0; i < anchor_count(n); ++i) {
        if (a.size(i) == 0) continue;
        const double of_anchor = anchor_weight(n, i) * a.mean_misses[i] * error.of(a.largest_logits[i]);
        squares += 2 * of_anchor * of_anchor;
      }
      sum += std::sqrt(squares);
    }
    return sum;
  }

 protected:
  // Hard negatives, then the positives: a tile holds neither. Where keys are anchors too, no pass is fused,
  // and `queries` are all of them.
  int64_t add_terms_outside_tiles(Range queries) override {
    const int64_t excluded = hard_negatives_.fold(queries, normalisers_[0], row_max_dots_, limits_);
    for (int64_t i = queries.begin; i < queries.end; ++i) close_query(i);
    for (int n = 1; n < o_.normaliser_count; ++n)
      for (int64_t a = 0; a < anchor_count(n); ++a) close_anchor(n, a);
    return excluded;
  }

  // A pair's loss belongs to its query in both directions, so that rows average to the loss.
  double sum_losses() override {
    double total = 0;
    for (int64_t i = 0; i < r_.queries.rows; ++i) {
      double loss = 0;
      anchors_[0].for_each(i, [&](int64_t pair) {
        for (int n = 0; n < o_.normaliser_count; ++n) {
          const int64_t a = n == 0 ? i : int64_t{lists_.keys[pair]};
          loss += anchors_[n].weight * anchors_[n].losses[pair] / static_cast<double>(anchors_[n].size(a));
        }
      });
      total += weight(i) * loss;
      write_row(i, loss, mean_lse_[i]);
    }
    return total;
  }

  const std::vector<float>& ranked_positive_dots() const override { return best_dots_; }

  void allocate_gradient() override {
    LossState::allocate_gradient();
    positive_grads_.assign(positive_dots_.size(), 0.);
  }

  void prepare_rows(Range queries) override {
    for (int64_t i = queries.begin; i < queries.end; ++i) prepare_anchor(0, i);
    for (int n = 1; n < o_.normaliser_count; ++n)
      for (int64_t a = 0; a < anchor_count(n); ++a) prepare_anchor(n, a);
  }

 private:
  int64_t pair_count() const { return lists_.offsets[r_.queries.rows]; }
  double weight(int64_t query) const { return r_.query_weights ? r_.query_weights[query] : 1; }
  // Of the anchor's cross-entropy in the loss.
  double anchor_weight(int n, int64_t a) const {
    return anchors_[n].weight * (n == 0 ? weight(a) : 1) / total_weight_;
  }

  AnchorPairs pairs_of_queries() const {
    AnchorPairs a;
    a.offsets.assign(lists_.offsets, lists_.offsets + r_.queries.rows + 1);
    return a;
  }

  // The lists from the other side: for each key the pairs that list it, by query.
  AnchorPairs pairs_of_keys() const {
    AnchorPairs a;
    a.offsets.assign(static_cast<size_t>(r_.keys.rows + 1), 0);
    for (int64_t pair = 0; pair < pair_count(); ++pair) ++a.offsets[lists_.keys[pair] + 1];
    for (int64_t j = 0; j < r_.keys.rows; ++j) a.offsets[j + 1] += a.offsets[j];
    std::vector<int64_t> next(a.offsets.begin(), a.offsets.end() - 1);
    a.pairs.resize(static_cast<size_t>(pair_count()));
    for (int64_t pair = 0; pair < pair_count(); ++pair) a.pairs[next[lists_.keys[pair]]++] = pair;
    return a;
  }

  // The loss of the keys is a mean over keys that some query lists. The engine divides all by the weights
  // of the queries, which are their number where keys are anchors.
  void make_room(int n) {
    AnchorPairs& a = anchors_[n];
    const int64_t count = anchor_count(n);
    a.weight = o_.normalisers[n].weight;
    if (n > 0) {
      for (int64_t i = 0; i < count; ++i) key_count_ += a.size(i) > 0;
      a.weight *= total_weight_ / static_cast<double>(key_count_);
    }
    a.losses.assign(positive_dots_.size(), 0.);
    a.slopes.assign(positive_dots_.size(), 0.);
    a.mean_misses.assign(static_cast<size_t>(count), 0.);
    a.largest_logits.assign(static_cast<size_t>(count), 0.);
  }

  Base2Logit positive_logit(int64_t pair) const { return {positive_dots_[pair], positive_scale_}; }

  void close_query(int64_t i) {
    const int64_t size = anchors_[0].size(i);
    anchors_[0].for_each(i, [&](int64_t p) { best_dots_[i] = std::max(best_dots_[i], positive_dots_[p]); });
    const double lse = close_anchor(0, i);
    if (size > 0) mean_lse_[i] = kLn2 * lse / static_cast<double>(size);
  }

  // From the sum over negatives to the losses of the anchor's pairs, and to the normaliser of the backward
  // pass. Returns the sum of the denominators' logarithms, base 2.
  double close_anchor(int n, int64_t anchor) {
    AnchorPairs& a = anchors_[n];
    const int64_t size = a.size(anchor);
    if (size == 0) return 0;  // its weight is 0
    const LseSum negatives = normalisers_[n].lse.at(anchor);
    LseSum inverses;  // sum_p 1 / (e^x_p + S)
    double sum_of_logs = 0, sum_of_slopes = 0, largest = 0;
    a.for_each(anchor, [&](int64_t pair) {
      const Base2Logit x = positive_logit(pair);
      LseSum all = negatives;
      all.fold(x);
      fold_sum(inverses.sum, inverses.shift, 1 / all.sum, -all.shift);
      a.losses[pair] = kLn2 * all.log2_less(x);
      // softmax(x) - 1, from the sum that lacks x: the difference would lose its digits where it is small
      a.slopes[pair] =
          negatives.sum == 0 ? 0 : -scaled_down(negatives.sum, negatives.shift - all.shift) / all.sum;
      sum_of_logs += all.log2();
      sum_of_slopes += a.slopes[pair];
      largest = std::max({largest, std::fabs(all.log2()), std::fabs(x.value())});
    });
    a.mean_misses[anchor] = -sum_of_slopes / static_cast<double>(size);
    a.largest_logits[anchor] = kLn2 * largest;
    normalisers_[n].lse.set(anchor, {static_cast<double>(size) / inverses.sum, -inverses.shift});
    return sum_of_logs;
  }

  void prepare_anchor(int n, int64_t anchor) {
    const AnchorPairs& a = anchors_[n];
    if (a.size(anchor) == 0) return;
    const double w = r_.logit_scale * anchor_weight(n, anchor);
    grads_[n].weights[anchor] = w;
    a.for_each(anchor, [&](int64_t pair) {
      positive_grads_[pair] += w * a.slopes[pair] / static_cast<double>(a.size(anchor));
    });
  }

  const KeyLists& lists_;
  const Log2Scale positive_scale_;
  std::vector<float> positive_dots_;    // of each pair
  std::vector<double> positive_grads_;  // of each pair: g at the positive
  std::vector<float> best_dots_;        // [queries]
  std::vector<double> mean_lse_;        // [queries]: mean_p log(e^x_p + S), NaN without a positive
  std::vector<AnchorPairs> anchors_;    // of each normaliser
  int64_t key_count_ = 0;               // keys that are anchors
};

}  // namespace

std::unique_ptr<LossState> make_listed_loss(const ContrastiveRequest& r) {
  return std::make_unique<ListedLossState>(r);
}

}  // namespace infcl
