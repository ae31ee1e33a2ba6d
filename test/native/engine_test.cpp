// The engine on the CPU backend against the dense oracle: every problem of engine_cases.h on all instruction
// sets, with equal bits for every thread count and workspace; the gradient filter; errors and aborts.
#include <cstdlib>
#include <cstring>
#include <string>

#include "check.h"
#include "core/errors.h"
#include "cpu/cpu_features.h"
#include "cpu_engine.h"
#include "engine_cases.h"
#include "engine_parts.h"
#include "list_cases.h"

using cases::Case;
using cases::Inputs;
using cases::ObjectiveKind;
using cases::Run;
using oracle::Features;

namespace {

int64_t least_workspace(Engine& e, const infcl::ContrastiveRequest& r) {
  try {
    run(e, r, 1, 1);
  } catch (const infcl::Error& error) {
    return std::atoll(std::strstr(error.what(), "at least ") + 9);
  }
  return 0;
}

struct Bounds {
  double loss, gradient;
};

// Runs a case on every instruction set, and holds it to the bounds.
void against_oracle(std::vector<Engine>& engines, const Case& c, Bounds bounds) {
  const Inputs inputs(c);
  const oracle::Result ref = inputs.solve(c);
  const infcl::ContrastiveRequest r = inputs.request(c);
  for (Engine& e : engines) {
    const Run one = run(e, r, 1, 0);
    const cases::Errors errors = cases::compare(c, one, ref);
    const std::string text = e.isa + " " + cases::describe(c, errors);
    CHECK(errors.loss <= bounds.loss && errors.gradient() <= bounds.gradient, "%s", text.c_str());
    // Few threads, many, and a workspace in which every logit is kept or none: the same sums in the same
    // order.
    for (int threads : {2, 3, 5})
      CHECK(cases::same_bits(one, run(e, r, threads, 0)), "threads=%d %s", threads, text.c_str());
    CHECK(cases::same_bits(one, run(e, r, 1, least_workspace(e, r))), "smallest workspace %s", text.c_str());
  }
}

// Large enough for the similarities of one call to be cut differently on every instruction set: their kept
// logits lie side by side.
void test_kept_scores_of_similarities(std::vector<Engine>& engines) {
  const Features q = oracle::random_features(3600, 4, 1), k = oracle::random_features(3600, 4, 2);
  infcl::ContrastiveRequest r = cases::request(ObjectiveKind::kNtXent, 10);
  r.queries = q.view();
  r.keys = k.view();
  for (Engine& e : engines)
    CHECK(cases::same_bits(run(e, r, 2, 0), run(e, r, 2, least_workspace(e, r))), "%s", e.isa.c_str());
}

// Visits some cases, and holds them to the usual bounds.
template <void (*kVisit)(const cases::Visit&)>
void test_cases(std::vector<Engine>& engines) {
  kVisit([&](const Case& c) {
    against_oracle(engines, c, {1e-6, c.request.logit_scale > 50 ? 5e-5 : 1e-5});
  });
}

void test_wide_ranges(std::vector<Engine>& engines) {
  cases::visit_wide_ranges([&](const Case& c) { against_oracle(engines, c, {1e-6, 1e-4}); });
}

// Excluded pairs, several positives, ragged hard negatives. Few rows at a large scale show that lists are
// refined.
void test_lists(std::vector<Engine>& engines) {
  cases::visit_lists([&](const Case& c) { against_oracle(engines, c, {1e-6, 1e-5}); });
  cases::visit_few_listed_rows([&](const Case& c) { against_oracle(engines, c, {1e-6, 5e-5}); });
}

void test_guide(std::vector<Engine>& engines) {
  for (const infcl::DType dtype : {infcl::DType::kFloat32, infcl::DType::kFloat16, infcl::DType::kBFloat16})
    cases::visit_guide(dtype, [&](const Case& c) {
      against_oracle(engines, c, {1e-6, 1e-5});
      const Inputs inputs(c);
      infcl::ContrastiveRequest wide = inputs.request(c);
      wide.guide.queries = inputs.guide_queries.wide.view();
      wide.guide.keys = inputs.guide_keys.wide.view();
      wide.guide.hard_negatives = inputs.guide_hard.wide.view();
      const int64_t masked = oracle::masked_pairs(wide, inputs.queries.wide, inputs.keys.wide);
      for (Engine& e : engines) {
        const int64_t counted = run(e, inputs.request(c), 2, 0).result.stats.masked_pairs;
        CHECK(counted == masked, "%s %s: %ld masked, not %ld", e.isa.c_str(), c.name.c_str(), (long)counted,
              (long)masked);
      }
    });
}

void test_teacher(std::vector<Engine>& engines) {
  for (const infcl::DType dtype : {infcl::DType::kFloat32, infcl::DType::kFloat16, infcl::DType::kBFloat16})
    cases::visit_teacher(dtype, [&](const Case& c) { against_oracle(engines, c, {1e-6, 1e-5}); });
}

// Few rows at a large scale: one dot's rounding to float32 alone would cost more than 1e-6.
void test_few_rows(std::vector<Engine>& engines) {
  const auto held = [&](const Case& c) { against_oracle(engines, c, {1e-6, 5e-5}); };
  cases::visit_few_rows(infcl::DType::kFloat32, held);
  cases::visit_few_rows(infcl::DType::kFloat16, held);
  cases::visit_few_rows(infcl::DType::kBFloat16, [&](const Case& c) {
    held(c);
    const Inputs inputs(c);
    infcl::ContrastiveRequest r = inputs.request(c);
    r.bfloat16 = true;
    const oracle::Result ref = inputs.solve(c);
    for (Engine& e : engines) {
      const cases::Errors errors = cases::compare(c, run(e, r, 0, 0), ref);
      CHECK(errors.loss <= 1e-6, "%s computed in bfloat16, %s", e.isa.c_str(),
            cases::describe(c, errors).c_str());
    }
  });
}

// The loss is the same number with gradients and without.
void test_loss_alone(std::vector<Engine>& engines) {
  cases::visit_few_rows(infcl::DType::kFloat32, [&](const Case& c) {
    const Inputs inputs(c);
    infcl::ContrastiveRequest r = inputs.request(c);
    for (Engine& e : engines) {
      const double loss = run(e, r, 2, 0).result.loss;
      CHECK(infcl::contrastive(r, *e.backend).loss == loss, "%s %s", e.isa.c_str(), c.name.c_str());
    }
  });
}

// Whether this processor has bfloat16 products beside the float32 products of an instruction set.
bool multiplies_bfloat16(const std::string& isa) {
  using namespace infcl::cpu;
  return (isa == "avx512" && covers(cpu_features(), kAvx512Bf16)) ||
         (isa == "neon" && covers(cpu_features(), kBf16));
}

// 16-bit features: widened while packing, or multiplied as they are.
void test_sixteen_bits(std::vector<Engine>& engines) {
  cases::visit_sixteen_bits(infcl::DType::kFloat16, [&](const Case& c) {
    against_oracle(engines, c, {1e-6, 1e-5});
  });
  cases::visit_sixteen_bits(infcl::DType::kBFloat16, [&](const Case& c) {
    const Inputs inputs(c);
    const oracle::Result ref = inputs.solve(c);
    for (Engine& e : engines)
      for (bool bfloat16 : {false, true}) {
        infcl::ContrastiveRequest r = inputs.request(c);
        r.bfloat16 = bfloat16;
        const Run one = run(e, r, 0, 0);
        const bool narrow = bfloat16 && multiplies_bfloat16(e.isa);
        CHECK(one.result.stats.isa == e.isa + (narrow ? "bf16" : ""), "%s", one.result.stats.isa.c_str());
        const cases::Errors errors = cases::compare(c, one, ref);
        CHECK(errors.loss <= (narrow ? 1e-5 : 1e-6) && errors.gradient() <= (narrow ? 1e-2 : 1e-5), "%s %s",
              one.result.stats.isa.c_str(), cases::describe(c, errors).c_str());
      }
  });
}

// Features that are all but solved: the filter must skip tiles, stay within its bound row by row, and keep
// the bits of every thread count; the loss and the scale's gradient are not its business.
void test_filter(std::vector<Engine>& engines) {
  const int64_t b = 1500, dim = 64;
  const Features q = oracle::random_features(b, dim, 1);
  Features k = q;
  for (int64_t at = 0; at < b * dim; ++at) k.data[at] += 0.01f * static_cast<float>(at % 7 - 3);
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent}) {
    infcl::ContrastiveRequest r = cases::request(kind, 60);
    for (Engine& e : engines) {
      r.gradient_filter = 0;
      const Run exact = run(e, r, q, k, 2, 0);
      r.gradient_filter = 1e-3;
      const Run filtered = run(e, r, q, k, 1, 0);
      CHECK(filtered.result.stats.tiles_skipped > 0, "%s nothing skipped", e.isa.c_str());
      CHECK(filtered.result.stats.flops < exact.result.stats.flops, "%s", e.isa.c_str());
      CHECK(filtered.result.loss == exact.result.loss, "%s loss", e.isa.c_str());
      CHECK(filtered.result.logit_scale_grad == exact.result.logit_scale_grad, "%s scale", e.isa.c_str());
      CHECK(cases::same_bits(filtered, run(e, r, q, k, 4, 0)), "%s threads", e.isa.c_str());
      // |lost gradient of a row| <= bound * s / B * the longest feature, for each of the similarities that
      // meet it
      double worst = 0;
      for (int64_t i = 0; i < b; ++i) {
        double lost = 0;
        for (int64_t d = 0; d < dim; ++d)
          lost += std::pow(exact.d_queries[i * dim + d] - filtered.d_queries[i * dim + d], 2);
        worst = std::fmax(worst, std::sqrt(lost));
      }
      CHECK(worst > 0 && worst <= 2 * 1e-3 * 60 / static_cast<double>(b) * 1.1, "%s lost %g", e.isa.c_str(),
            worst);
    }
  }
}

// Frozen sides of self-similarity: nothing is written to their columns, and yet tile rows must leave them in
// order, or a later tile row waits for ever. Small tiles on many threads, so that tile rows overtake each
// other when they may.
#ifdef __SANITIZE_THREAD__
constexpr int kFrozenRounds = 1;  // slow, but there every access is watched
#else
constexpr int kFrozenRounds = 40;
#endif

void test_frozen_triangles(Engine& e) {
  for (const ObjectiveKind kind : {ObjectiveKind::kNtXent, ObjectiveKind::kSupCon}) {
    Case c{"frozen", cases::request(kind, 10), 1200, 1200, 3};
    std::vector<int32_t> classes(1200);
    for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int32_t>(i % 9);
    if (kind == ObjectiveKind::kSupCon) c.request.query_classes = c.request.key_classes = classes.data();
    const Inputs inputs(c);
    std::vector<float> d_keys[2] = {std::vector<float>(1200 * 3), std::vector<float>(1200 * 3)};
    const auto differentiate = [&](int threads, bool keys, std::vector<float>& out) {
      infcl::ContrastiveRequest r = inputs.request(c);
      r.gradient = true;
      r.threads = threads;
      r.d_keys = keys ? out.data() : nullptr;
      r.d_key_rows = keys ? 1200 : 0;
      return infcl::contrastive(r, *e.backend).logit_scale_grad;
    };
    const double alone = differentiate(1, true, d_keys[0]);
    for (int round = 0; round < kFrozenRounds; ++round)
      for (const int threads : {2, 3, 5}) {
        CHECK(differentiate(threads, true, d_keys[1]) == alone && d_keys[0] == d_keys[1], "%d threads",
              threads);
        CHECK(differentiate(threads, false, d_keys[1]) == alone, "%d threads, both frozen", threads);
      }
  }
}

void test_errors(Engine& e) {
  const infcl::ContrastiveRequest r = cases::request(ObjectiveKind::kClip, 10);
  Features q = oracle::random_features(64, 16, 1), k = oracle::random_features(64, 16, 2);
  k.data[33 * 16 + 5] = NAN;
  try {
    run(e, r, q, k, 1, 0);
    CHECK(false, "NaN accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kNotFinite && std::strstr(error.what(), "keys") &&
              std::strstr(error.what(), "row 33, column 5"),
          "%s", error.what());
  }
  k = oracle::random_features(64, 16, 2);
  try {
    run(e, r, q, k, 1, 1000);
    CHECK(false, "tiny workspace accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kWorkspace, "%s", error.what());
  }
  for (float& v : q.data) v *= 1e25f;
  for (float& v : k.data) v *= 1e25f;
  try {
    run(e, r, q, k, 1, 0);
    CHECK(false, "overflow accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kNotFinite, "%s", error.what());
  }
  k = oracle::random_features(64, 16, 2);
  q = oracle::random_features(64, 16, 1);
  CHECK(std::isfinite(run(e, r, q, k, 1, 0).result.loss), "usable after errors");
}

void test_abort(Engine& e) {
  const Features q = oracle::random_features(512, 64, 1), k = oracle::random_features(512, 64, 2);
  int32_t words[infcl::Control::kWords] = {1, 0, 0};
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent, ObjectiveKind::kInfoNce}) {
    infcl::ContrastiveRequest r = cases::request(kind, 10);
    r.control.words = words;
    try {
      run(e, r, q, k, 3, 0);
      CHECK(false, "ran although aborted");
    } catch (const infcl::Error& error) {
      CHECK(error.code() == infcl::ErrorCode::kAborted, "%s", error.what());
    }
  }
}

void test_unknown_isa(std::vector<Engine>&) {
  try {
    infcl::cpu_info({"sse9", "", ""});
    CHECK(false, "unknown ISA accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kIsa, "%s", error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  return parts::run({{"errors", parts::each<test_errors>},
                     {"abort", parts::each<test_abort>},
                     {"shapes", test_cases<cases::visit_shapes>},
                     {"objectives", test_cases<cases::visit_objectives>},
                     {"options", test_cases<cases::visit_options>},
                     {"hard_negatives", test_cases<cases::visit_hard_negatives>},
                     {"wide_ranges", test_wide_ranges},
                     {"lists", test_lists},
                     {"kept_scores", test_kept_scores_of_similarities},
                     {"guide", test_guide},
                     {"teacher", test_teacher},
                     {"few_rows", test_few_rows},
                     {"loss_alone", test_loss_alone},
                     {"sixteen_bits", test_sixteen_bits},
                     {"filter", test_filter},
                     {"frozen_triangles", parts::each<test_frozen_triangles>},
                     {"unknown_isa", test_unknown_isa}},
                    argc, argv);
}
