// The engine on the CPU backend against the dense oracle: ragged shapes around every tile edge, all
// instruction sets, and equal bits for every thread count.
#include <cstdlib>
#include <cstring>

#include "check.h"
#include "core/backend.h"
#include "core/backend_factory.h"
#include "core/communicator.h"
#include "core/errors.h"
#include "dense_oracle.h"

using infcl::ObjectiveKind;
using oracle::Features;

namespace {

struct Case {
  ObjectiveKind kind;
  int64_t rows, keys, dim;
  float scale;
};

struct Run {
  infcl::ContrastiveResult result;
  std::vector<float> d_queries, d_keys;
};

struct Engine {
  std::unique_ptr<infcl::Backend> backend = infcl::make_cpu_backend();
  std::unique_ptr<infcl::Communicator> ring = infcl::make_single_communicator();
};

struct Options {
  int threads = 1;
  int64_t workspace = 0;
  const int32_t* labels = nullptr;
};

Run run(Engine& e, const Case& c, const Features& q, const Features& k, const Options& o) {
  // Outputs start as garbage: the engine must not count on zeros.
  Run out{{}, std::vector<float>(q.data.size(), 7.f), std::vector<float>(k.data.size(), 7.f)};
  infcl::ContrastiveRequest r;
  r.queries = q.view();
  r.keys = k.view();
  r.objective = infcl::make_objective(c.kind);
  r.logit_scale = c.scale;
  r.labels = o.labels;
  r.gradient = true;
  r.d_queries = out.d_queries.data();
  r.d_keys = out.d_keys.data();
  r.d_key_rows = k.rows;
  r.threads = o.threads;
  r.workspace_bytes = o.workspace;
  out.result = infcl::contrastive(r, *e.backend, *e.ring);
  return out;
}

bool same_bits(const Run& a, const Run& b) {
  return a.result.loss == b.result.loss && a.result.logit_scale_grad == b.result.logit_scale_grad &&
         !std::memcmp(a.d_queries.data(), b.d_queries.data(), a.d_queries.size() * sizeof(float)) &&
         !std::memcmp(a.d_keys.data(), b.d_keys.data(), a.d_keys.size() * sizeof(float));
}

int64_t minimum_workspace(Engine& e, const Case& c) {
  infcl::PlanRequest p;
  p.rows = c.rows;
  p.keys = c.keys;
  p.dim = c.dim;
  p.threads = 1;
  return infcl::plan(p, *e.backend).minimum_workspace_bytes;
}

void against_oracle(Engine& e, const char* isa, const Case& c) {
  const Features q = oracle::random_features(c.rows, c.dim, 1), k = oracle::random_features(c.keys, c.dim, 2);
  std::vector<int32_t> labels(static_cast<size_t>(c.rows));
  for (int64_t i = 0; i < c.rows; ++i) labels[i] = static_cast<int32_t>((i * 7 + 3) % c.keys);
  const bool labelled = c.kind == ObjectiveKind::kInfoNce;
  const int32_t* given = labelled ? labels.data() : nullptr;
  const oracle::Result ref = oracle::dense(q, k, infcl::make_objective(c.kind), c.scale, given);
  const Run one = run(e, c, q, k, {1, 0, given});
  // a gradient that cancels is held to the size it usually has
  const double floor = 1e-2 * c.scale / std::sqrt(static_cast<double>(c.rows));
  const double bound = c.scale > 50 ? 5e-5 : 1e-5;
  const double loss = std::fabs(one.result.loss - ref.loss) / std::fmax(1, std::fabs(ref.loss));
  const double dq = oracle::relative_error(one.d_queries, ref.d_queries, floor);
  const double dk = oracle::relative_error(one.d_keys, ref.d_keys, floor);
  const double ds = std::fabs(one.result.logit_scale_grad - ref.logit_scale_grad) /
                    std::fmax(1e-2, std::fabs(ref.logit_scale_grad));
  CHECK(loss <= 1e-6 && dq <= bound && dk <= bound && ds <= bound,
        "%s M=%ld N=%ld D=%ld s=%g: loss %.1e d_queries %.1e d_keys %.1e d_scale %.1e", isa, (long)c.rows,
        (long)c.keys, (long)c.dim, c.scale, loss, dq, dk, ds);
  for (int threads : {2, 3, 5})
    CHECK(same_bits(one, run(e, c, q, k, {threads, 0, given})), "%s M=%ld N=%ld D=%ld threads=%d", isa,
          (long)c.rows, (long)c.keys, (long)c.dim, threads);
  // Packing per cell and recomputing every logit: the same products in the same order.
  CHECK(same_bits(one, run(e, c, q, k, {1, minimum_workspace(e, c), given})),
        "%s M=%ld D=%ld smallest workspace", isa, (long)c.rows, (long)c.dim);
}

void test_shapes(Engine& e, const char* isa) {
  const Case cases[] = {
      {ObjectiveKind::kClip, 1, 1, 1, 1},          {ObjectiveKind::kClip, 2, 2, 3, 20},
      {ObjectiveKind::kClip, 7, 7, 65, 14},        {ObjectiveKind::kClip, 97, 97, 33, 100},
      {ObjectiveKind::kClip, 447, 447, 64, 14},    {ObjectiveKind::kClip, 448, 448, 32, 50},
      {ObjectiveKind::kClip, 449, 449, 31, 100},   {ObjectiveKind::kClip, 1009, 1009, 17, 20},
      {ObjectiveKind::kInfoNce, 5, 700, 48, 10},   {ObjectiveKind::kInfoNce, 700, 5, 48, 10},
      {ObjectiveKind::kInfoNce, 241, 911, 63, 100}};
  for (const Case& c : cases) against_oracle(e, isa, c);
}

void test_errors(Engine& e) {
  const Case c{ObjectiveKind::kClip, 64, 64, 16, 10};
  Features q = oracle::random_features(64, 16, 1), k = oracle::random_features(64, 16, 2);
  k.data[33 * 16 + 5] = NAN;
  try {
    run(e, c, q, k, {});
    CHECK(false, "NaN accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kNotFinite && std::strstr(error.what(), "keys") &&
              std::strstr(error.what(), "row 33, column 5"),
          "%s", error.what());
  }
  k = oracle::random_features(64, 16, 2);
  try {
    run(e, c, q, k, {1, 1000, nullptr});
    CHECK(false, "tiny workspace accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kWorkspace, "%s", error.what());
  }
  CHECK(std::isfinite(run(e, c, q, k, {}).result.loss), "usable after errors");
}

void test_abort(Engine& e) {
  const Features q = oracle::random_features(512, 64, 1), k = oracle::random_features(512, 64, 2);
  int32_t words[infcl::Control::kWords] = {1, 0, 0, 0};
  infcl::ContrastiveRequest r;
  r.queries = q.view();
  r.keys = k.view();
  r.objective = infcl::make_objective(ObjectiveKind::kClip);
  r.threads = 2;
  r.control.words = words;
  try {
    infcl::contrastive(r, *e.backend, *e.ring);
    CHECK(false, "ran although aborted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kAborted, "%s", error.what());
  }
}

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info().isas) {
    setenv("INFCL_ISA", isa.c_str(), 1);
    Engine e;
    CHECK(infcl::cpu_info().isa == isa, "INFCL_ISA=%s", isa.c_str());
    test_shapes(e, isa.c_str());
    test_errors(e);
    test_abort(e);
  }
  setenv("INFCL_ISA", "sse9", 1);
  try {
    infcl::cpu_info();
    CHECK(false, "unknown ISA accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kIsa, "%s", error.what());
  }
  return check::summary();
}
