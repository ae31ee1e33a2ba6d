// The CPU backend's one pass for objectives whose rows stand alone: what it keeps, what it costs, and that
// its bits do not depend on the workspace. Their results are held to the oracle by engine_test, as all are.
#include "check.h"
#include "core/plan.h"
#include "cpu_engine.h"
#include "engine_cases.h"

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

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    test_fused(e, ObjectiveKind::kInfoNce);
    test_fused(e, ObjectiveKind::kSigLip);
  }
  return check::summary();
}
