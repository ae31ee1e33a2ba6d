// The engine on the CPU backend against the dense oracle: every objective and option, ragged shapes around
// every tile edge, all instruction sets, and equal bits for every thread count and workspace.
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "check.h"
#include "core/backend.h"
#include "core/backend_factory.h"
#include "core/communicator.h"
#include "core/errors.h"
#include "dense_oracle.h"

using infcl::ObjectiveKind;
using oracle::Features;

namespace {

struct Engine {
  std::string isa;
  std::unique_ptr<infcl::Backend> backend = infcl::make_cpu_backend();
  std::unique_ptr<infcl::Communicator> ring = infcl::make_single_communicator();
};

struct Run {
  infcl::ContrastiveResult result;
  std::vector<float> d_queries, d_keys;
};

struct Case {
  std::string name;
  infcl::ContrastiveRequest request;  // without matrices
  int64_t rows, keys, dim;
};

Run run(Engine& e, infcl::ContrastiveRequest r, const Features& q, const Features& k, int threads,
        int64_t workspace) {
  // Outputs start as garbage: the engine must not count on zeros.
  Run out{{}, std::vector<float>(q.data.size(), 7.f), std::vector<float>(k.data.size(), 7.f)};
  r.queries = q.view();
  r.keys = k.view();
  r.gradient = true;
  r.d_queries = out.d_queries.data();
  r.d_keys = k.rows > 0 ? out.d_keys.data() : nullptr;
  r.d_key_rows = k.rows;
  r.threads = threads;
  r.workspace_bytes = workspace;
  out.result = infcl::contrastive(r, *e.backend, *e.ring);
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || !std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
}

bool same_bits(const Run& a, const Run& b) {
  return a.result.loss == b.result.loss && a.result.logit_scale_grad == b.result.logit_scale_grad &&
         same_bits(a.d_queries, b.d_queries) && same_bits(a.d_keys, b.d_keys);
}

int64_t least_workspace(Engine& e, const Case& c, const Features& q, const Features& k) {
  try {
    run(e, c.request, q, k, 1, 1);
  } catch (const infcl::Error& error) {
    return std::atoll(std::strstr(error.what(), "at least ") + 9);
  }
  return 0;
}

void against_oracle(Engine& e, const Case& c, const Features& q, const Features& k,
                    const oracle::Result& ref) {
  const Run one = run(e, c.request, q, k, 1, 0);
  // a gradient that cancels is held to the size it usually has
  const double scale = c.request.logit_scale, floor = 1e-2 * scale / std::sqrt(static_cast<double>(c.rows));
  const double bound = scale > 50 ? 5e-5 : 1e-5;
  const double loss = std::fabs(one.result.loss - ref.loss) / std::fmax(1, std::fabs(ref.loss));
  const double dq = oracle::relative_error(one.d_queries, ref.d_queries, floor);
  const double dk = oracle::relative_error(one.d_keys, ref.d_keys, floor);
  const auto scalar_error = [](double a, double b) {
    return std::fabs(a - b) / std::fmax(1e-2, std::fabs(b));
  };
  const double ds = scalar_error(one.result.logit_scale_grad, ref.logit_scale_grad);
  const double db = scalar_error(one.result.logit_bias_grad, ref.logit_bias_grad);
  CHECK(loss <= 1e-6 && dq <= bound && dk <= bound && ds <= bound && db <= bound,
        "%s %s M=%ld N=%ld D=%ld s=%g: loss %.1e d_queries %.1e d_keys %.1e d_scale %.1e d_bias %.1e",
        e.isa.c_str(), c.name.c_str(), (long)c.rows, (long)c.keys, (long)c.dim, scale, loss, dq, dk, ds, db);
  // Few threads, many, and a workspace in which every logit is kept or none: the same sums in the same order.
  for (int threads : {2, 3, 5})
    CHECK(same_bits(one, run(e, c.request, q, k, threads, 0)), "%s %s M=%ld N=%ld D=%ld threads=%d",
          e.isa.c_str(), c.name.c_str(), (long)c.rows, (long)c.keys, (long)c.dim, threads);
  CHECK(same_bits(one, run(e, c.request, q, k, 1, least_workspace(e, c, q, k))),
        "%s %s M=%ld D=%ld smallest workspace", e.isa.c_str(), c.name.c_str(), (long)c.rows, (long)c.dim);
}

void against_oracle(std::vector<Engine>& engines, const Case& c) {
  const Features q = oracle::random_features(c.rows, c.dim, 1), k = oracle::random_features(c.keys, c.dim, 2);
  infcl::ContrastiveRequest with_matrices = c.request;
  with_matrices.queries = q.view();
  with_matrices.keys = k.view();
  const oracle::Result ref = oracle::dense(with_matrices, q, k);
  for (Engine& e : engines) {
    setenv("INFCL_ISA", e.isa.c_str(), 1);
    against_oracle(e, c, q, k, ref);
  }
}

infcl::ContrastiveRequest request(const infcl::Objective& o, double scale) {
  infcl::ContrastiveRequest r;
  r.objective = o;
  r.logit_scale = scale;
  return r;
}

void test_shapes(std::vector<Engine>& e) {
  const infcl::Objective clip = infcl::make_objective(ObjectiveKind::kClip);
  struct Shape {
    int64_t rows, dim;
    double scale;
  };
  for (const Shape s : {Shape{1, 1, 1},
                        {2, 3, 20},
                        {7, 65, 14},
                        {97, 33, 100},
                        {447, 64, 14},
                        {448, 32, 50},
                        {449, 31, 100},
                        {1009, 17, 20}})
    against_oracle(e, {"clip", request(clip, s.scale), s.rows, s.rows, s.dim});
  const infcl::Objective infonce = infcl::make_objective(ObjectiveKind::kInfoNce);
  struct Ragged {
    int64_t rows, keys, dim;
    double scale;
  };
  for (const Ragged s : {Ragged{5, 700, 48, 10}, {700, 5, 48, 10}, {241, 911, 63, 100}}) {
    std::vector<int32_t> labels(static_cast<size_t>(s.rows));
    for (int64_t i = 0; i < s.rows; ++i) labels[i] = static_cast<int32_t>((i * 7 + 3) % s.keys);
    infcl::ContrastiveRequest r = request(infonce, s.scale);
    r.labels = labels.data();
    against_oracle(e, {"infonce", r, s.rows, s.keys, s.dim});
  }
}

// Rows whose log-sum-exps lie further apart than one exponential can span, with and without a second
// normaliser.
void test_wide_ranges(std::vector<Engine>& engines) {
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce, ObjectiveKind::kNtXent}) {
    const int64_t b = 61, dim = 2;
    Features q = oracle::random_features(b, dim, 1);
    const Features k = oracle::random_features(b, dim, 2);
    for (int64_t at = 0; at < b * dim; ++at) q.data[at] *= static_cast<float>(at / dim % 5);
    const infcl::ContrastiveRequest r = request(infcl::make_objective(kind), 100);
    infcl::ContrastiveRequest with_matrices = r;
    with_matrices.queries = q.view();
    with_matrices.keys = k.view();
    const oracle::Result ref = oracle::dense(with_matrices, q, k);
    for (Engine& e : engines) {
      setenv("INFCL_ISA", e.isa.c_str(), 1);
      const Run one = run(e, r, q, k, 2, 0);
      const double dq = oracle::relative_error(one.d_queries, ref.d_queries, 1),
                   dk = oracle::relative_error(one.d_keys, ref.d_keys, 1);
      CHECK(dq <= 1e-4 && dk <= 1e-4 && std::isfinite(one.result.logit_scale_grad), "%s: %g %g",
            e.isa.c_str(), dq, dk);
    }
  }
}

void test_objectives(std::vector<Engine>& e) {
  for (const int64_t b : {1, 2, 33, 450, 500}) {
    std::vector<int32_t> classes(static_cast<size_t>(b)), other(static_cast<size_t>(b));
    for (int64_t i = 0; i < b; ++i) {
      classes[i] = static_cast<int32_t>(i * i % 11 - 3);
      other[i] = static_cast<int32_t>(i % 13);
    }
    against_oracle(e, {"ntxent", request(infcl::make_objective(ObjectiveKind::kNtXent), 10), b, b, 24});
    infcl::ContrastiveRequest s = request(infcl::make_objective(ObjectiveKind::kSupCon), 10);
    s.query_classes = classes.data();
    s.key_classes = other.data();
    against_oracle(e, {"supcon", s, b, b, 24});
    s.objective = infcl::make_objective(ObjectiveKind::kSupCon, false);
    against_oracle(e, {"supcon, queries alone", s, b, 0, 24});
    infcl::ContrastiveRequest sig = request(infcl::make_objective(ObjectiveKind::kSigLip), 12);
    sig.logit_bias = -10;
    against_oracle(e, {"siglip", sig, b, b, 24});
    if (b > 33 && b != 450) continue;
    for (unsigned directions = 1; directions < 16; directions += 2)
      for (bool joint : {false, true})
        against_oracle(e, {"directions " + std::to_string(directions) + (joint ? " joint" : ""),
                           request(infcl::make_directions(directions, joint), 15), b, b, 24});
  }
}

void test_options(std::vector<Engine>& e) {
  const int64_t b = 460;
  std::vector<int32_t> ids(static_cast<size_t>(b));
  std::vector<float> weights(static_cast<size_t>(b));
  for (int64_t i = 0; i < b; ++i) {
    ids[i] = static_cast<int32_t>(i % 97);
    weights[i] = static_cast<float>(i % 5);
  }
  using Edit = std::function<void(infcl::ContrastiveRequest&)>;
  const std::pair<const char*, Edit> options[] = {
      {"ids", [&](auto& r) { r.query_ids = r.key_ids = ids.data(); }},
      {"weights", [&](auto& r) { r.query_weights = weights.data(); }},
      {"smoothing", [&](auto& r) { r.label_smoothing = 0.1; }},
      {"margin",
       [&](auto& r) {
         r.has_margin = true;
         r.margin = 0.05;
       }},
      {"hardness", [&](auto& r) { r.hardness = 3; }},
  };
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce, ObjectiveKind::kNtXent}) {
    infcl::ContrastiveRequest all = request(infcl::make_objective(kind), 20);
    for (const auto& option : options) {
      infcl::ContrastiveRequest r = request(infcl::make_objective(kind), 20);
      option.second(r);
      against_oracle(
          e, {std::string(r.objective.kind == ObjectiveKind::kClip ? "clip, " : "other, ") + option.first, r,
              b, b, 20});
      option.second(all);
    }
    against_oracle(e, {"all options", all, b, b, 20});
  }
  infcl::ContrastiveRequest sig = request(infcl::make_objective(ObjectiveKind::kSigLip), 12);
  sig.logit_bias = -5;
  sig.query_weights = weights.data();
  sig.query_ids = sig.key_ids = ids.data();
  against_oracle(e, {"siglip, ids and weights", sig, b, b, 20});
}

// 16-bit features: widened while packing, or multiplied as they are.
void test_sixteen_bits(std::vector<Engine>& engines) {
  for (const int64_t b : {1, 3, 449, 700})
    for (const int64_t dim : {1, 7, 64, 131}) {
      Features q = oracle::random_features(b, dim, 1), k = oracle::random_features(b, dim, 2);
      std::vector<uint16_t> bits[2];
      for (Features* f : {&q, &k})
        for (float& v : f->data) {  // truncated to bfloat16, so that the oracle sees what the engine sees
          uint32_t word;
          std::memcpy(&word, &v, sizeof v);
          bits[f == &k].push_back(static_cast<uint16_t>(word >> 16));
          word &= 0xffff0000u;
          std::memcpy(&v, &word, sizeof v);
        }
      infcl::ContrastiveRequest r = request(infcl::make_objective(ObjectiveKind::kClip), 30);
      r.queries = q.view();
      r.keys = k.view();
      const oracle::Result ref = oracle::dense(r, q, k);
      const double floor = 1e-2 * 30 / std::sqrt(static_cast<double>(b));
      for (Engine& e : engines) {
        setenv("INFCL_ISA", e.isa.c_str(), 1);
        for (bool bfloat16 : {false, true}) {
          Run one{{}, std::vector<float>(q.data.size(), 7.f), std::vector<float>(k.data.size(), 7.f)};
          r.queries = {bits[0].data(), infcl::DType::kBFloat16, b, dim, dim};
          r.keys = {bits[1].data(), infcl::DType::kBFloat16, b, dim, dim};
          r.bfloat16 = bfloat16;
          r.gradient = true;
          r.d_queries = one.d_queries.data();
          r.d_keys = one.d_keys.data();
          r.d_key_rows = b;
          one.result = infcl::contrastive(r, *e.backend, *e.ring);
          const bool narrow = one.result.stats.isa == "avx512bf16";
          CHECK(narrow == (bfloat16 && e.isa == "avx512" && __builtin_cpu_supports("avx512bf16")), "%s",
                one.result.stats.isa.c_str());
          const double loss = std::fabs(one.result.loss - ref.loss) / std::fmax(1, std::fabs(ref.loss));
          const double dq = oracle::relative_error(one.d_queries, ref.d_queries, floor);
          const double dk = oracle::relative_error(one.d_keys, ref.d_keys, floor);
          const double bound = narrow ? 1e-2 : 1e-5;
          CHECK(loss <= (narrow ? 1e-5 : 1e-6) && dq <= bound && dk <= bound,
                "%s B=%ld D=%ld: loss %.1e d_queries %.1e d_keys %.1e", one.result.stats.isa.c_str(), (long)b,
                (long)dim, loss, dq, dk);
        }
      }
    }
}

// Negatives of each query's own, beside every option that meets them.
void test_private_keys(std::vector<Engine>& engines) {
  const int64_t b = 130, dim = 21;
  const Features q = oracle::random_features(b, dim, 1), k = oracle::random_features(b, dim, 2);
  const Features hard = oracle::random_features(3 * b, dim, 3);
  for (int variant = 0; variant < 4; ++variant) {
    infcl::ContrastiveRequest r = request(infcl::make_objective(ObjectiveKind::kInfoNce), 12);
    if (variant == 3) r.objective = infcl::make_objective(ObjectiveKind::kClip);
    r.hard_keys = hard.view();
    r.hard_per_query = 3;
    if (variant == 1) r.private_hardness = 4;
    if (variant == 2) {
      r.has_margin = true;
      r.margin = 0.02;
      r.label_smoothing = 0.2;
    }
    r.queries = q.view();
    r.keys = k.view();
    const oracle::Result ref = oracle::dense(r, q, k);
    for (Engine& e : engines) {
      setenv("INFCL_ISA", e.isa.c_str(), 1);
      std::vector<float> d_hard(hard.data.size(), 7.f);
      r.d_hard_keys = d_hard.data();
      const Run one = run(e, r, q, k, 2, 0);
      const double floor = 1e-2;
      const double errors[] = {std::fabs(one.result.loss - ref.loss) / std::fmax(1, ref.loss),
                               oracle::relative_error(one.d_queries, ref.d_queries, floor),
                               oracle::relative_error(one.d_keys, ref.d_keys, floor),
                               oracle::relative_error(d_hard, ref.d_hard, floor),
                               std::fabs(one.result.logit_scale_grad - ref.logit_scale_grad)};
      for (double error : errors) CHECK(error <= 1e-5, "%s variant %d: %g", e.isa.c_str(), variant, error);
    }
  }
}

// Features that are all but solved: the filter must skip cells, stay within its bound row by row, and keep
// the bits of every thread count; the loss and the scale's gradient are not its business.
void test_filter(std::vector<Engine>& engines) {
  const int64_t b = 1500, dim = 64;
  const Features q = oracle::random_features(b, dim, 1);
  Features k = q;
  for (int64_t at = 0; at < b * dim; ++at) k.data[at] += 0.01f * static_cast<float>(at % 7 - 3);
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent}) {
    infcl::ContrastiveRequest r = request(infcl::make_objective(kind), 60);
    for (Engine& e : engines) {
      setenv("INFCL_ISA", e.isa.c_str(), 1);
      r.gradient_filter = 0;
      const Run exact = run(e, r, q, k, 2, 0);
      r.gradient_filter = 1e-3;
      const Run filtered = run(e, r, q, k, 1, 0);
      CHECK(filtered.result.stats.tiles_skipped > 0, "%s nothing skipped", e.isa.c_str());
      CHECK(filtered.result.stats.flops < exact.result.stats.flops, "%s", e.isa.c_str());
      CHECK(filtered.result.loss == exact.result.loss, "%s loss", e.isa.c_str());
      CHECK(filtered.result.logit_scale_grad == exact.result.logit_scale_grad, "%s scale", e.isa.c_str());
      CHECK(same_bits(filtered, run(e, r, q, k, 4, 0)), "%s threads", e.isa.c_str());
      // |lost gradient of a row| <= bound * s / B * the longest feature, for each of the passes that meet it
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

void test_errors(Engine& e) {
  const infcl::ContrastiveRequest r = request(infcl::make_objective(ObjectiveKind::kClip), 10);
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
  int32_t words[infcl::Control::kWords] = {1, 0, 0, 0};
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent}) {
    infcl::ContrastiveRequest r = request(infcl::make_objective(kind), 10);
    r.control.words = words;
    try {
      run(e, r, q, k, 3, 0);
      CHECK(false, "ran although aborted");
    } catch (const infcl::Error& error) {
      CHECK(error.code() == infcl::ErrorCode::kAborted, "%s", error.what());
    }
  }
}

}  // namespace

int main() {
  std::vector<Engine> engines;
  for (const std::string& isa : infcl::cpu_info().isas) {
    setenv("INFCL_ISA", isa.c_str(), 1);
    CHECK(infcl::cpu_info().isa == isa, "INFCL_ISA=%s", isa.c_str());
    engines.push_back({isa});
    test_errors(engines.back());
    test_abort(engines.back());
  }
  test_shapes(engines);
  test_objectives(engines);
  test_wide_ranges(engines);
  test_options(engines);
  test_sixteen_bits(engines);
  test_private_keys(engines);
  test_filter(engines);
  setenv("INFCL_ISA", "sse9", 1);
  try {
    infcl::cpu_info();
    CHECK(false, "unknown ISA accepted");
  } catch (const infcl::Error& error) {
    CHECK(error.code() == infcl::ErrorCode::kIsa, "%s", error.what());
  }
  return check::summary();
}
