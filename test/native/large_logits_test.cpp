// Logits of every size that float32 holds, on every instruction set: right, or refused. Features are small
// integers times a power of two, so that any arithmetic has their dots exactly and ties are ties; then the
// dense oracle's numbers must come out, however large the logits are.
#include <cmath>
#include <string>

#include "check.h"
#include "core/errors.h"
#include "cpu_engine.h"
#include "engine_cases.h"
#include "large_logit_cases.h"

using cases::Run;
using oracle::Features;

namespace {

void against_oracle(Engine& e, const large::Problem& p) {
  const oracle::Result ref = oracle::dense(p.request, p.queries, p.keys);
  const Run got = run(e, p.request, 2, 0);
  const large::Errors errors = large::compare(p, got, ref);
  CHECK(errors.all_within(large::kBounds), "%s %s: loss %.17g, right %.17g, %s", e.isa.c_str(),
        p.name.c_str(), got.result.loss, ref.loss, errors.text().c_str());
  CHECK(got.result.stats.masked_pairs == p.masked_pairs, "%s %s: %ld masked, right %ld", e.isa.c_str(),
        p.name.c_str(), static_cast<long>(got.result.stats.masked_pairs), static_cast<long>(p.masked_pairs));
  // a call for the loss alone has the same loss
  infcl::ContrastiveRequest alone = p.request;
  CHECK(infcl::contrastive(alone, *e.backend, *e.ring).loss == got.result.loss, "%s %s", e.isa.c_str(),
        p.name.c_str());
}

// One long row and two short ones, one feature: row 0 is solved, rows 1 and 2 prefer the long key.
void test_one_long_row(Engine& e) {
  for (const float a : {3.f, 4096.f, 6000.f, 20011.f, 1e6f, 1e9f, 1e12f, 1e15f, 1e18f}) {
    const Features rows{{a, 1, 3}, 3, 1};
    infcl::ContrastiveRequest r = cases::request(cases::ObjectiveKind::kInfoNce, 1);
    const Run got = run(e, r, rows, rows, 1, 0);
    if (a < 100) continue;  // not solved
    const double wide = a, loss = ((wide - 1) + (3 * wide - 9)) / 3;
    CHECK(std::fabs(got.result.loss - loss) <= 1e-6 * loss, "%s %g: %.9g, right %.9g", e.isa.c_str(), wide,
          got.result.loss, loss);
    const double right[] = {0, (wide - 1) / 3, (wide - 3) / 3};
    for (int i = 0; i < 3; ++i)
      CHECK(std::fabs(got.d_queries[i] - right[i]) <= 1e-6 * wide, "%s %g: dQ[%d] %.9g, right %.9g",
            e.isa.c_str(), wide, i, got.d_queries[i], right[i]);
    // of similarities up to a squared, most of which cancel
    CHECK(std::fabs(got.result.logit_scale_grad - loss) <= 1e-6 / 8 * wide * wide, "%s %g: dS %.9g",
          e.isa.c_str(), wide, got.result.logit_scale_grad);
  }
}

// Rows that all tie: the loss is the logarithm of their number, to the last digits.
void test_ties_of_any_size(Engine& e) {
  for (float v = 1; v <= 0x1p60f; v *= 32)
    for (const int64_t rows : {2, 17, 500}) {
      const Features q{std::vector<float>(rows, v), rows, 1}, k{std::vector<float>(rows, -v), rows, 1};
      const Run got = run(e, cases::request(cases::ObjectiveKind::kClip, 1), q, k, 2, 0);
      const double right = std::log(static_cast<double>(rows));
      CHECK(std::fabs(got.result.loss - right) <= 1e-6 * right, "%s %g: %.17g, right %.17g", e.isa.c_str(), v,
            got.result.loss, right);
      for (const float g : got.d_queries)
        CHECK(std::fabs(g) <= 1e-6 * v, "%s %g: dQ %g", e.isa.c_str(), v, g);
    }
}

// Matching pairs that nobody normalised: solved, so the loss and all gradients are 0.
void test_solved_pairs(Engine& e) {
  const int64_t m = 40, d = 24;
  Features q{std::vector<float>(m * d), m, d}, k = q;
  for (int64_t t = 0; t < m * d; ++t) {
    const double at = static_cast<double>(t) * static_cast<double>(t) * 0.7;
    q.data[t] = static_cast<float>(150 * std::sin(1 + at));
    k.data[t] = static_cast<float>(q.data[t] + 15 * std::sin(2 + at));
  }
  const Run got = run(e, cases::request(cases::ObjectiveKind::kClip, 100), q, k, 1, 0);
  CHECK(std::fabs(got.result.loss) < 1e-14, "%s: %g", e.isa.c_str(), got.result.loss);
  for (const float g : got.d_queries) CHECK(g == 0, "%s: dQ %g", e.isa.c_str(), g);
}

// Rows that all but tie: no loss is below zero by more than its logits round, and nothing is infinite.
void test_collapsed_features(Engine& e) {
  uint32_t state = 1;
  const auto random = [&] { return static_cast<double>(state = state * 1664525u + 1013904223u) / 0x1p32; };
  const int64_t m = 16, d = 64;
  for (const double length : {1e2, 1e3, 1e4, 1e6, 1e9, 1e12, 1e15})
    for (int n = 0; n < 20; ++n) {
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
        const Run got = run(e, cases::request(kind, 1), q, k, 1, 0);
        const double rounding = length * length * 0x1p-24 * 4;  // a dot of 64 products and a logit
        CHECK(got.result.loss >= -1e-7 && got.result.loss <= std::log(32.) + 1e-6 + 2 * rounding,
              "%s %g: loss %g", e.isa.c_str(), length, got.result.loss);
        for (const float g : got.d_queries)
          CHECK(std::fabs(g) <= 2.01 * length, "%s %g: dQ %g", e.isa.c_str(), length, g);
      }
    }
}

bool refuses(Engine& e, infcl::ContrastiveRequest r, const Features& q, const Features& k) {
  try {
    run(e, r, q, k, 1, 0);
    return false;
  } catch (const infcl::Error& error) {
    return error.code() == infcl::ErrorCode::kNotFinite;
  }
}

// What float32 cannot hold is refused before any number comes back, by the lengths of rows.
void test_refusals(Engine& e) {
  const auto rows = [](float v) { return Features{{v, -v, v, v}, 2, 2}; };
  const infcl::ContrastiveRequest one = cases::request(cases::ObjectiveKind::kClip, 1);
  CHECK(!refuses(e, one, rows(1e18f), rows(1e18f)), "%s: similarities of 2e36", e.isa.c_str());
  CHECK(refuses(e, one, rows(1e19f), rows(1e19f)), "%s: similarities of 2e38", e.isa.c_str());
  CHECK(refuses(e, one, rows(3e38f), rows(1e-38f)), "%s: a row beyond float32", e.isa.c_str());
  CHECK(!refuses(e, one, rows(1e30f), rows(1e-30f)), "%s: one side long, one short", e.isa.c_str());
  const infcl::ContrastiveRequest many = cases::request(cases::ObjectiveKind::kClip, 1e30);
  CHECK(refuses(e, many, rows(1e5f), rows(1e5f)), "%s: logits of 2e40", e.isa.c_str());
  CHECK(!refuses(e, many, rows(1e-15f), rows(1e-15f)), "%s: logits of 2", e.isa.c_str());
  CHECK(refuses(e, cases::request(cases::ObjectiveKind::kClip, 1e25), rows(1e15f), rows(1e-18f)),
        "%s: gradients of 1e40", e.isa.c_str());
  infcl::ContrastiveRequest biased = cases::request(cases::ObjectiveKind::kSigLip, 1);
  for (const double bias : {-1e38, 1e38, -1e300, 1e300}) {
    biased.logit_bias = bias;
    CHECK(refuses(e, biased, rows(1), rows(1)), "%s: bias %g", e.isa.c_str(), bias);
  }
  biased.logit_bias = -1e36;
  CHECK(!refuses(e, biased, rows(1), rows(1)), "%s: bias of -1e36", e.isa.c_str());
  infcl::ContrastiveRequest hard = one;
  hard.hardness = 1e38;
  CHECK(refuses(e, hard, rows(1), rows(1)), "%s: hardness", e.isa.c_str());
}

// A pair that does not count has no weight, at any scale.
void test_masked_pairs_at_any_scale(Engine& e) {
  const Features q = oracle::random_features(40, 16, 1), k = oracle::random_features(40, 16, 2);
  std::vector<int32_t> ids(40);
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
      const Run got = run(e, r, q, k, 1, 0);
      CHECK(std::fabs(got.result.loss - ref.loss) <= 1e-6 * std::fmax(1, std::fabs(ref.loss)),
            "%s scale %g: loss %.9g, right %.9g", e.isa.c_str(), scale, got.result.loss, ref.loss);
      CHECK(std::fabs(got.result.logit_scale_grad - ref.logit_scale_grad) <=
                1e-5 * std::fmax(1. / 32, std::fabs(ref.logit_scale_grad)),
            "%s scale %g: dS %.9g, right %.9g", e.isa.c_str(), scale, got.result.logit_scale_grad,
            ref.logit_scale_grad);
    }
}

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    large::visit([&](const large::Problem& p) { against_oracle(e, p); });
    test_one_long_row(e);
    test_ties_of_any_size(e);
    test_solved_pairs(e);
    test_collapsed_features(e);
    test_refusals(e);
    test_masked_pairs_at_any_scale(e);
  }
  return check::summary();
}
