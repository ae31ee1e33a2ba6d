// The engine over ranks that are threads: every problem of engine_cases.h, on 1 to 5 ranks with uneven
// shards, against the dense oracle; equal bits for equal calls and on all ranks; options that meet the ring;
// seeded bugs.
#include <algorithm>
#include <string>

#include "check.h"
#include "engine_cases.h"
#include "ring_faults.h"
#include "ring_run.h"

using cases::Case;
using cases::Inputs;
using cases::ObjectiveKind;
using cases::Run;
using ring::Outcome;
using ring::Ring;

namespace {

struct Bounds {
  double loss, gradient;
};

bool near_enough(const cases::Errors& errors, Bounds bounds) {
  return errors.loss <= bounds.loss && errors.gradient() <= bounds.gradient;
}

// Accuracy is not a number where no key ranks against a positive.
bool same_numbers(const infcl::ContrastiveResult& a, const infcl::ContrastiveResult& b) {
  const bool same_accuracy = a.accuracy == b.accuracy || (std::isnan(a.accuracy) && std::isnan(b.accuracy));
  return same_accuracy && a.loss == b.loss && a.logit_scale_grad == b.logit_scale_grad &&
         a.logit_bias_grad == b.logit_bias_grad && a.stats.masked_pairs == b.stats.masked_pairs;
}

void against_oracle(std::vector<Ring>& rings, const Case& c, Bounds bounds) {
  const Inputs inputs(c);
  const oracle::Result ref = inputs.solve(c);
  const infcl::ContrastiveRequest r = inputs.request(c);
  for (Ring& ring : rings) {
    if (!ring::can_shard(c, ring.size())) continue;
    std::vector<Outcome> all;
    const Run one = ring::run(ring, r, &all);
    const cases::Errors errors = cases::compare(c, one, ref);
    const std::string text = std::to_string(ring.size()) + " ranks, " + cases::describe(c, errors);
    CHECK(near_enough(errors, bounds), "%s", text.c_str());
    for (const Outcome& rank : all)
      CHECK(same_numbers(rank.result, one.result), "ranks differ: %s", text.c_str());
    infcl::ContrastiveRequest threaded = r;
    threaded.threads = 3;
    CHECK(cases::same_bits(one, ring::run(ring, threaded)), "again, on 3 threads a rank: %s", text.c_str());
  }
}

std::vector<Ring> rings_of(std::initializer_list<int> sizes) {
  std::vector<Ring> rings;
  for (const int size : sizes) rings.emplace_back(size);
  return rings;
}

void test_cases() {
  std::vector<Ring> rings = rings_of({1, 2, 3, 4, 5});
  const cases::Visit usual = [&](const Case& c) {
    against_oracle(rings, c, {1e-6, c.request.logit_scale > 50 ? 5e-5 : 1e-5});
  };
  cases::visit_shapes(usual);
  cases::visit_objectives(usual);
  cases::visit_options(usual);
  cases::visit_hard_negatives(usual);
  cases::visit_wide_ranges([&](const Case& c) { against_oracle(rings, c, {1e-6, 1e-4}); });
  cases::visit_sixteen_bits(infcl::DType::kFloat16, [&](const Case& c) {
    against_oracle(rings, c, {1e-6, 1e-5});
  });
}

// Every instruction set, on a ring where guests go all the way round and half way.
void test_instruction_sets() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    std::vector<Ring> rings;
    rings.emplace_back(4, isa);
    const cases::Visit usual = [&](const Case& c) { against_oracle(rings, c, {1e-6, 1e-5}); };
    cases::visit_options(usual);
    cases::visit_hard_negatives(usual);
    cases::visit_sixteen_bits(infcl::DType::kBFloat16, usual);
  }
}

// So few rows that the loss is refined: the refinement is a sum over ranks as well.
void test_few_rows() {
  std::vector<Ring> rings = rings_of({2, 3});
  cases::visit_few_rows(infcl::DType::kFloat32, [&](const Case& c) {
    against_oracle(rings, c, {1e-6, 5e-5});
  });
}

// A ring of one has the bits of the engine without a ring, fused passes included.
void test_ring_of_one() {
  const Ring one(1);
  const cases::Visit same = [&](const Case& c) {
    const Inputs inputs(c);
    const infcl::ContrastiveRequest r = inputs.request(c);
    CHECK(cases::same_bits(ring::run(one, r), cases::run(*one.backends[0], r)), "%s", c.name.c_str());
  };
  cases::visit_options(same);
  cases::visit_hard_negatives(same);
}

// Positives of other ranks' keys, whose dots are the limits of a margin and enter each query's sums.
void test_labels_of_other_ranks() {
  const int64_t rows = 60, keys = 150;
  std::vector<int32_t> labels(rows), query_ids(rows), key_ids(keys);
  for (int64_t i = 0; i < rows; ++i) labels[i] = static_cast<int32_t>((i * 37 + 11) % keys);
  for (int64_t i = 0; i < rows; ++i) query_ids[i] = static_cast<int32_t>(i % 17);
  for (int64_t j = 0; j < keys; ++j) key_ids[j] = static_cast<int32_t>(j % 19);
  std::vector<Ring> rings = rings_of({2, 3, 5});
  for (const ObjectiveKind kind : {ObjectiveKind::kInfoNce, ObjectiveKind::kSigLip})
    for (int variant = 0; variant < 4; ++variant) {
      infcl::ContrastiveRequest r = cases::request(kind, 12);
      if (kind == ObjectiveKind::kSigLip) r.logit_bias = -8;
      r.labels = labels.data();
      if (variant == 1) {
        r.query_ids = query_ids.data();
        r.key_ids = key_ids.data();
      }
      if (kind == ObjectiveKind::kSigLip && variant > 1) continue;
      if (variant == 2) {
        r.has_margin = true;
        r.margin = 0.03;
      }
      if (variant == 3) r.label_smoothing = 0.2;
      against_oracle(rings, {"labels, variant " + std::to_string(variant), r, rows, keys, 20}, {1e-6, 1e-5});
    }
}

// Frozen sides, and keys of which only the first get a gradient.
void test_frozen_sides_and_banks() {
  const Case c{"bank", cases::request(ObjectiveKind::kInfoNce, 15), 90, 90, 24};
  const Inputs inputs(c);
  for (const int ranks : {2, 3, 4}) {
    const Ring ring(ranks);
    const Run whole = ring::run(ring, inputs.request(c));
    for (const bool frozen_queries : {false, true})
      for (const int64_t trained : {int64_t{0}, int64_t{1}, int64_t{7}}) {
        std::vector<float> d_queries(whole.d_queries.size(), 7.f), d_keys(whole.d_keys.size(), 7.f);
        infcl::ContrastiveRequest r = inputs.request(c);
        r.gradient = true;
        r.d_queries = frozen_queries ? nullptr : d_queries.data();
        r.d_keys = trained > 0 ? d_keys.data() : nullptr;
        r.d_key_rows = trained;
        const std::vector<infcl::ContrastiveRequest> shards = ring::shards_of(r, ranks);
        for (const Outcome& rank : ring.call(shards)) CHECK(!rank.error, "%s", rank.text().c_str());
        if (!frozen_queries) CHECK(cases::same_bits(d_queries, whole.d_queries), "%d ranks", ranks);
        for (const infcl::ContrastiveRequest& s : shards)
          for (int64_t i = 0; s.d_keys && i < s.keys.rows * c.dim; ++i) {
            const float expected = i < s.d_key_rows * c.dim
                                       ? whole.d_keys[static_cast<size_t>(s.d_keys + i - d_keys.data())]
                                       : 7.f;
            CHECK(s.d_keys[i] == expected, "%d ranks, %ld keys trained", ranks, static_cast<long>(trained));
          }
      }
  }
}

// The sum of what a row of the gradient loses to skipped tiles stays within its bound, whatever the number of
// ranks.
void test_gradient_filter() {
  // With more ranks, each visit has a smaller part of the bound. Many keys with equal softmax then let a tile
  // be skipped.
  struct Filter {
    int ranks;
    double filter;
    Case c;
  };
  for (const auto& [ranks, filter, c] :
       {Filter{2, 0.3, {"filter", cases::request(ObjectiveKind::kClip, 60), 700, 700, 16}},
        Filter{4, 0.9, {"filter", cases::request(ObjectiveKind::kInfoNce, 1), 350, 1400, 16}}}) {
    const Inputs inputs(c);
    const Ring ring(ranks);
    const Run exact = ring::run(ring, inputs.request(c));
    infcl::ContrastiveRequest r = inputs.request(c);
    r.gradient_filter = filter;
    std::vector<Outcome> all;
    const Run filtered = ring::run(ring, r, &all);
    int64_t skipped = 0;
    for (const Outcome& rank : all) skipped += rank.result.stats.tiles_skipped;
    CHECK(skipped > 0, "%d ranks skip no tile", ranks);
    CHECK(filtered.result.loss == exact.result.loss, "%d ranks", ranks);
    // A row loses at most filter * scale / rows, times the longest key.
    const double bound = filter * c.request.logit_scale / static_cast<double>(c.rows);
    for (int64_t i = 0; i < c.rows; ++i) {
      double squares = 0, longest = 0;
      for (int64_t d = 0; d < c.dim; ++d) {
        const size_t at = static_cast<size_t>(i * c.dim + d);
        const double lost = filtered.d_queries[at] - exact.d_queries[at];
        squares += lost * lost;
      }
      for (int64_t j = 0; j < c.keys; ++j) {
        double length = 0;
        for (int64_t d = 0; d < c.dim; ++d) {
          const double x = inputs.keys.wide.data[static_cast<size_t>(j * c.dim + d)];
          length += x * x;
        }
        longest = std::fmax(longest, std::sqrt(length));
      }
      CHECK(std::sqrt(squares) <= 1.0001 * bound * longest, "%d ranks, row %ld", ranks, static_cast<long>(i));
      if (i > 50) break;
    }
  }
}

// Per-row outputs are those of the rank's rows.
void test_rows() {
  const Case c{"rows", cases::request(ObjectiveKind::kClip, 15), 70, 70, 24};
  const Inputs inputs(c);
  const auto rows_of = [&](const Ring& ring) {
    std::vector<float> loss(c.rows), lse(c.rows);
    std::vector<uint8_t> first(c.rows);
    infcl::ContrastiveRequest r = inputs.request(c);
    r.row_loss = loss.data();
    r.row_lse = lse.data();
    r.row_positive_first = first.data();
    ring.call(ring::shards_of(r, ring.size()));
    return std::make_pair(loss, first);
  };
  const auto [loss, first] = rows_of(Ring(1));
  const auto [loss3, first3] = rows_of(Ring(3));
  for (size_t i = 0; i < loss.size(); ++i)
    CHECK(std::fabs(loss[i] - loss3[i]) < 1e-5 && first[i] == first3[i], "row %zu", i);
}

// Bugs that were seeded into a ring, each of which a comparison with the oracle must show.
void test_seeded_bugs() {
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent})
    for (const int ranks : {2, 3, 4}) {
      const Case c{"seeded", cases::request(kind, 15), 60, 60, 24};
      const Inputs inputs(c);
      const oracle::Result ref = inputs.solve(c);
      const auto is_found = [&](const Ring& ring) {
        return !near_enough(cases::compare(c, ring::run(ring, inputs.request(c)), ref), {1e-6, 1e-5});
      };
      CHECK(!is_found(Ring(ranks)), "%d ranks without a bug", ranks);
      // A round has two hops for each step, and two for the way home. Within one side it has half of the
      // steps.
      const int across = 2 * (ranks - 1), within = 2 * (ranks / 2);
      const int forward_rounds = across + 2 + (kind == ObjectiveKind::kClip ? 0 : 2 * (within + 2));
      for (const int home : {across, forward_rounds + across}) {
        Ring lost(ranks);
        for (auto& communicator : lost.communicators)
          communicator = std::make_unique<faults::LosesWhatComesHome>(std::move(communicator), home);
        CHECK(is_found(lost), "%d ranks: what hops %d bring does not come home", ranks, home);
      }
      for (const bool in_forward : {true, false}) {
        Ring twice(ranks);
        auto& one = twice.backends[1];
        one = std::make_unique<faults::MeetsGuestsTwice>(std::move(one), in_forward);
        CHECK(is_found(twice), "%d ranks: a pair of shards visited twice, forward %d", ranks, in_forward);
      }
    }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string part = argc > 1 ? argv[1] : "";
  if (part.empty() || part == "options") {
    test_ring_of_one();
    test_labels_of_other_ranks();
    test_frozen_sides_and_banks();
    test_gradient_filter();
    test_rows();
    test_seeded_bugs();
  }
  if (part.empty() || part == "cases") {
    test_few_rows();
    test_instruction_sets();
    test_cases();
  }
  return check::summary();
}
