// Checks of every backend with logits of every size that float32 holds: right, or refused. Features are
// small integers times a power of two, so that any arithmetic has their dots exactly and ties are ties; then
// the dense oracle's numbers must come out, however large the logits are. Knows no backend.
#pragma once

#include <cmath>
#include <string>

#include "check.h"
#include "core/errors.h"
#include "engine_cases.h"
#include "large_logit_cases.h"
#include "solver.h"

namespace large {

using cases::Run;
using cases::Solver;
using oracle::Features;

// Whether f() runs through; that it is refused is a failure with this name.
template <class F>
bool is_accepted(const Solver& s, const std::string& name, F f) {
  try {
    f();
    return true;
  } catch (const infcl::Error& error) {
    CHECK(false, "%s %s: %s", s.who(), name.c_str(), error.what());
    return false;
  }
}

inline void against_oracle(const Solver& s, const Problem& p) {
  const oracle::Result ref = oracle::dense(p.request, p.queries, p.keys);
  Run got;
  if (!is_accepted(s, p.name, [&] { got = s.run(p.request); })) return;
  const Errors errors = compare(p, got, ref);
  CHECK(errors.all_within(2 * s.bound), "%s %s: loss %.17g, right %.17g, %s", s.who(), p.name.c_str(),
        got.result.loss, ref.loss, errors.text().c_str());
  CHECK(got.result.stats.masked_pairs == p.masked_pairs, "%s %s: %ld masked, right %ld", s.who(),
        p.name.c_str(), static_cast<long>(got.result.stats.masked_pairs), static_cast<long>(p.masked_pairs));
}

// One long row and two short ones, one feature: row 0 is solved, rows 1 and 2 prefer the long key.
inline void check_one_long_row(const Solver& s) {
  for (const float a : {4096.f, 6000.f, 20011.f, 1e6f, 1e9f, 1e12f, 1e15f, 1e18f}) {
    const Features rows{{a, 1, 3}, 3, 1};
    const Run got = s.solve(cases::request(cases::ObjectiveKind::kInfoNce, 1), rows, rows);
    const double wide = a, loss = ((wide - 1) + (3 * wide - 9)) / 3;
    CHECK(std::fabs(got.result.loss - loss) <= s.bound * loss, "%s %g: %.9g, right %.9g", s.who(), wide,
          got.result.loss, loss);
    const double right[] = {0, (wide - 1) / 3, (wide - 3) / 3};
    for (int i = 0; i < 3; ++i)
      CHECK(std::fabs(got.d_queries[i] - right[i]) <= s.bound * wide, "%s %g: dQ[%d] %.9g, right %.9g",
            s.who(), wide, i, got.d_queries[i], right[i]);
    // of similarities up to a squared, most of which cancel
    CHECK(std::fabs(got.result.logit_scale_grad - loss) <= 1e-6 / 8 * wide * wide, "%s %g: dS %.9g", s.who(),
          wide, got.result.logit_scale_grad);
  }
}

// Rows that all tie: the loss is the logarithm of their number, to the last digits.
inline void check_ties_of_any_size(const Solver& s) {
  for (float v = 1; v <= 0x1p60f; v *= 32)
    for (const int64_t rows : {2, 17, 500}) {
      const Features q{std::vector<float>(rows, v), rows, 1}, k{std::vector<float>(rows, -v), rows, 1};
      const Run got = s.solve(cases::request(cases::ObjectiveKind::kClip, 1), q, k);
      const double right = std::log(static_cast<double>(rows));
      CHECK(std::fabs(got.result.loss - right) <= s.bound * right, "%s %g: %.17g, right %.17g", s.who(), v,
            got.result.loss, right);
      for (const float g : got.d_queries) CHECK(std::fabs(g) <= s.bound * v, "%s %g: dQ %g", s.who(), v, g);
    }
}

// Matching pairs that nobody normalised: solved, so the loss and all gradients are 0.
inline void check_solved_pairs(const Solver& s) {
  const int64_t m = 40, d = 24;
  Features q{std::vector<float>(m * d), m, d}, k = q;
  for (int64_t t = 0; t < m * d; ++t) {
    const double at = static_cast<double>(t) * static_cast<double>(t) * 0.7;
    q.data[t] = static_cast<float>(150 * std::sin(1 + at));
    k.data[t] = static_cast<float>(q.data[t] + 15 * std::sin(2 + at));
  }
  const Run got = s.solve(cases::request(cases::ObjectiveKind::kClip, 100), q, k);
  CHECK(std::fabs(got.result.loss) < 1e-14, "%s: %g", s.who(), got.result.loss);
  for (const float g : got.d_queries) CHECK(g == 0, "%s: dQ %g", s.who(), g);
}

struct Collapsed {
  double rounding;  // of a logit, relative to the product of the rows' lengths
  int problems;     // of each length
};

// Rows that all but tie: no loss is below zero by more than its logits round, and nothing is infinite.
inline void check_collapsed_features(const Solver& s, const Collapsed& c) {
  uint32_t state = 1;
  const auto random = [&] { return static_cast<double>(state = state * 1664525u + 1013904223u) / 0x1p32; };
  const int64_t m = 16, d = 64;
  for (const double length : {1e2, 1e3, 1e4, 1e6, 1e9, 1e12, 1e15})
    for (int n = 0; n < c.problems; ++n) {
      std::vector<double> base(d);
      for (double& x : base) x = random() - 0.5;
      const auto collapsed = [&] {
        Features f{{}, m, d};
        for (int64_t t = 0; t < m * d; ++t)
          f.data.push_back(
              static_cast<float>(base[t % d] * length / std::sqrt(d / 12.) * (1 + 1e-6 * random())));
        return f;
      };
      const Features q = collapsed(), k = collapsed();
      for (const auto kind :
           {cases::ObjectiveKind::kClip, cases::ObjectiveKind::kInfoNce, cases::ObjectiveKind::kNtXent}) {
        const Run got = s.solve(cases::request(kind, 1), q, k);
        CHECK(got.result.loss >= -1e-7 &&
                  got.result.loss <= std::log(32.) + 1e-6 + 2 * c.rounding * length * length,
              "%s %g: loss %g", s.who(), length, got.result.loss);
        for (const float g : got.d_queries)
          CHECK(std::fabs(g) <= 2.01 * length, "%s %g: dQ %g", s.who(), length, g);
      }
    }
}

inline bool refuses(const Solver& s, const infcl::ContrastiveRequest& r, const Features& q,
                    const Features& k) {
  try {
    s.solve(r, q, k);
    return false;
  } catch (const infcl::Error& error) {
    return error.code() == infcl::ErrorCode::kNotFinite;
  }
}

// Logits that float32 cannot hold are refused by the lengths of rows, before any number comes back.
inline void check_refusals(const Solver& s) {
  const auto rows = [](float v) { return Features{{v, -v, v, v}, 2, 2}; };
  const infcl::ContrastiveRequest one = cases::request(cases::ObjectiveKind::kClip, 1);
  CHECK(!refuses(s, one, rows(1e18f), rows(1e18f)), "%s: similarities of 2e36", s.who());
  CHECK(refuses(s, one, rows(1e19f), rows(1e19f)), "%s: similarities of 2e38", s.who());
  CHECK(refuses(s, one, rows(3e38f), rows(1e-38f)), "%s: a row beyond float32", s.who());
  CHECK(!refuses(s, one, rows(1e30f), rows(1e-30f)), "%s: one side long, one short", s.who());
  const infcl::ContrastiveRequest many = cases::request(cases::ObjectiveKind::kClip, 1e30);
  CHECK(refuses(s, many, rows(1e5f), rows(1e5f)), "%s: logits of 2e40", s.who());
  CHECK(!refuses(s, many, rows(1e-15f), rows(1e-15f)), "%s: logits of 2", s.who());
  CHECK(refuses(s, cases::request(cases::ObjectiveKind::kClip, 1e25), rows(1e15f), rows(1e-18f)),
        "%s: gradients of 1e40", s.who());
  infcl::ContrastiveRequest biased = cases::request(cases::ObjectiveKind::kSigLip, 1);
  for (const double bias : {-1e38, 1e38, -1e300, 1e300}) {
    biased.logit_bias = bias;
    CHECK(refuses(s, biased, rows(1), rows(1)), "%s: bias %g", s.who(), bias);
  }
  biased.logit_bias = -1e36;
  CHECK(!refuses(s, biased, rows(1), rows(1)), "%s: bias of -1e36", s.who());
  infcl::ContrastiveRequest hard = one;
  hard.hardness = 1e38;
  CHECK(refuses(s, hard, rows(1), rows(1)), "%s: hardness", s.who());
}

// A pair that does not count has no weight, at any scale. Features are coarse, so that dots have no error
// that a scale could blow up.
inline void check_masked_pairs_at_any_scale(const Solver& s) {
  const int64_t rows = 40, dim = 16;
  const Features q = integer_features(rows, dim, 1, 0x1p-4f), k = integer_features(rows, dim, 2, 0x1p-4f);
  std::vector<int32_t> ids(rows);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i % 7);
  for (const double scale : {1e-25, 1e-20, 1e-10, 1., 1e10, 1e20, 1e30})
    for (const auto kind : {cases::ObjectiveKind::kClip, cases::ObjectiveKind::kNtXent,
                            cases::ObjectiveKind::kSupCon, cases::ObjectiveKind::kSigLip}) {
      infcl::ContrastiveRequest r = cases::request(kind, scale);
      if (kind == cases::ObjectiveKind::kSupCon)
        r.query_classes = r.key_classes = ids.data();
      else
        r.query_ids = r.key_ids = ids.data();
      const oracle::Result ref = oracle::dense(r, q, k);
      const Run got = s.solve(r, q, k);
      CHECK(std::fabs(got.result.loss - ref.loss) <= s.bound * std::fmax(1, std::fabs(ref.loss)),
            "%s scale %g: loss %.9g, right %.9g", s.who(), scale, got.result.loss, ref.loss);
      CHECK(std::fabs(got.result.logit_scale_grad - ref.logit_scale_grad) <=
                1e-5 * std::fmax(1. / 32, std::fabs(ref.logit_scale_grad)),
            "%s scale %g: dS %.9g, right %.9g", s.who(), scale, got.result.logit_scale_grad,
            ref.logit_scale_grad);
    }
}

inline void check_all(const Solver& s, const Collapsed& collapsed) {
  is_accepted(s, "one long row", [&] { check_one_long_row(s); });
  is_accepted(s, "ties", [&] { check_ties_of_any_size(s); });
  is_accepted(s, "solved pairs", [&] { check_solved_pairs(s); });
  is_accepted(s, "collapsed features", [&] { check_collapsed_features(s, collapsed); });
  is_accepted(s, "masked pairs", [&] { check_masked_pairs_at_any_scale(s); });
  check_refusals(s);
}

}  // namespace large
