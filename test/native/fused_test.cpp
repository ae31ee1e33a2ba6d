// The CPU backend's fused pass, for objectives whose rows stand alone: kept scores, operations, and bits that
// depend neither on the workspace nor on fusing. engine_test compares the results with the oracle.
#include "check.h"
#include "core/backend.h"
#include "core/plan.h"
#include "cpu_engine.h"
#include "engine_cases.h"
#include "list_cases.h"

using cases::ObjectiveKind;
using cases::Run;
using oracle::Features;

namespace {

// Three products as soon as a thread's workspace holds a tile row's logits (of a sigmoid, a tile's), as
// planned, and more with less, to the same bits.
void test_fused(Engine& e, ObjectiveKind kind) {
  const Features q = oracle::random_features(1500, 8, 1), k = oracle::random_features(2000, 8, 2);
  infcl::ContrastiveRequest r = cases::request(kind, 10);
  r.queries = q.view();
  r.keys = k.view();
  infcl::PlanRequest p;
  p.objective = r.objective;
  p.rows = q.rows;
  p.keys = k.rows;
  p.dim = q.dim;
  p.threads = 2;
  const double product = 2. * 1500 * 2000 * 8;
  const Run roomy = run(e, r, 2, 0);
  const infcl::Stats& s = roomy.result.stats;
  CHECK(s.tiles_reused == s.tiles && s.flops == 3 * product, "%s: %ld of %ld kept, %g products",
        e.isa.c_str(), (long)s.tiles_reused, (long)s.tiles, s.flops / product);
  CHECK(e.planner->plan(p).flops == s.flops, "planned %g", e.planner->plan(p).flops / product);
  CHECK(
      s.forward_seconds > 0 && s.backward_seconds > 0 && s.forward_seconds + s.backward_seconds <= s.seconds,
      "%g + %g of %g", s.forward_seconds, s.backward_seconds, s.seconds);
  const int64_t all = s.workspace_bytes;
  bool some = false;
  for (int64_t bytes = all; bytes > all / 2; bytes -= all / 12) {  // room for fewer and fewer tiles
    const Run tight = run(e, r, 2, bytes);
    p.workspace_bytes = bytes;
    CHECK(cases::same_bits(roomy, tight), "%s in %ld bytes", e.isa.c_str(), (long)bytes);
    CHECK(e.planner->plan(p).flops == tight.result.stats.flops &&
              e.planner->plan(p).workspace_bytes == tight.result.stats.workspace_bytes,
          "%s planned in %ld bytes", e.isa.c_str(), (long)bytes);
    const int64_t kept = tight.result.stats.tiles_reused;
    some = some || (kept > 0 && kept < s.tiles);
  }
  CHECK(some == (kind == ObjectiveKind::kInfoNce), "%s: only a softmax keeps some of a tile row's tiles",
        e.isa.c_str());
}

// Hands calls on to another backend, but leaves a fused pass to the default of Backend.
class OnePassAfterAnother final : public infcl::Backend {
 public:
  explicit OnePassAfterAnother(infcl::Backend& inner) : inner_(inner) {}
  infcl::BeginResult begin(const infcl::Problem& p) override { return inner_.begin(p); }
  double bring(infcl::Operand o) override { return inner_.bring(o); }
  void positive_dots(const int32_t* labels, float* out) override { inner_.positive_dots(labels, out); }
  void fold(infcl::FoldArgs& a) override { inner_.fold(a); }
  infcl::DifferentiateResult differentiate(const infcl::DifferentiateArgs& a) override {
    return inner_.differentiate(a);
  }
  void hard_negative_dots(float* dots, float* errors) override { inner_.hard_negative_dots(dots, errors); }
  double differentiate_hard_negatives(const infcl::HardNegativeArgs& a) override {
    return inner_.differentiate_hard_negatives(a);
  }
  infcl::BackendStats stats() const override { return inner_.stats(); }
  void end() override { inner_.end(); }

 private:
  infcl::Backend& inner_;
};

// Fusing changes no bit.
void test_default(Engine& e, ObjectiveKind kind) {
  const Features q = oracle::random_features(700, 8, 3), k = oracle::random_features(900, 8, 4);
  infcl::ContrastiveRequest r = cases::request(kind, 10);
  r.queries = q.view();
  r.keys = k.view();
  r.threads = 2;
  OnePassAfterAnother two_passes(*e.backend);
  const Run fused = cases::run(*e.backend, r), other = cases::run(two_passes, r);
  CHECK(cases::same_bits(fused, other), "%s kind %d", e.isa.c_str(), static_cast<int>(kind));
  CHECK(fused.result.stats.tiles_reused > 0 && other.result.stats.tiles_reused == 0, "%s: not fused",
        e.isa.c_str());
}

// The same with lists of positives, ragged hard negatives and excluded pairs.
void test_lists(Engine& e) {
  const Features q = oracle::random_features(700, 8, 3), k = oracle::random_features(900, 8, 4);
  const cases::RandomLists positives(700, 900, 1, 4, 5), excluded(700, 900, 0, 6, 6), hard(700, 9, 0, 3, 7);
  const Features negatives = oracle::random_features(hard.offsets()[700], 8, 8);
  infcl::ContrastiveRequest r = cases::listed(cases::request(ObjectiveKind::kInfoNce, 10), positives);
  r.queries = q.view();
  r.keys = k.view();
  r.excluded = excluded.view();
  r.hard_negatives = negatives.view();
  r.hard_negative_offsets = hard.offsets();
  r.threads = 3;
  OnePassAfterAnother two_passes(*e.backend);
  const Run fused = cases::run(*e.backend, r), other = cases::run(two_passes, r);
  CHECK(cases::same_bits(fused, other), "%s lists", e.isa.c_str());
  CHECK(fused.result.stats.masked_pairs == other.result.stats.masked_pairs &&
            fused.result.stats.tiles_reused > 0,
        "%s: not fused", e.isa.c_str());
}

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    test_fused(e, ObjectiveKind::kInfoNce);
    test_fused(e, ObjectiveKind::kSigLip);
    test_default(e, ObjectiveKind::kInfoNce);
    test_default(e, ObjectiveKind::kSigLip);
    test_lists(e);
  }
  return check::summary();
}
