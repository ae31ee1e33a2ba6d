#include "check_shapes.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "core/backends.h"
#include "engine_run.h"
#include "unit_rows.h"

namespace infcl::bench {

namespace {

struct Kind {
  DType dtype;
  bool bfloat16;          // products of bfloat16
  double loss, gradient;  // bounds, as in the engine test; see truncation()
};
constexpr Kind kKinds[] = {{DType::kFloat32, false, 1e-5, 2e-4},
                           {DType::kBFloat16, true, 1e-5, 1e-2},
                           {DType::kFloat16, false, 1e-5, 2e-3}};

struct Loss {
  const char* name;
  ObjectiveKind kind;
  double scale, bias;
};
constexpr Loss kLosses[] = {{"clip", ObjectiveKind::kClip, 1 / 0.07, 0},
                            {"infonce", ObjectiveKind::kInfoNce, 1 / 0.07, 0},
                            {"ntxent", ObjectiveKind::kNtXent, 10, 0},
                            {"siglip", ObjectiveKind::kSigLip, 10, -10}};

ContrastiveRequest request(const Loss& loss, const Features& queries, const Features& keys) {
  ContrastiveRequest r;
  r.queries = queries.view();
  r.keys = keys.view();
  r.objective = make_objective(loss.kind);
  r.logit_scale = loss.scale;
  r.logit_bias = loss.bias;
  return r;
}

// The largest distance between two rows, as a share of the row's length, or of the usual length if that is
// more. NaN if anything is.
double row_error(const std::vector<float>& got, const std::vector<float>& want, int64_t dim) {
  const size_t rows = want.size() / static_cast<size_t>(dim);
  std::vector<double> distances(rows), lengths(rows);  // squared
  double total = 0;
  for (size_t at = 0; at < want.size(); ++at) {
    const double w = want[at], d = got[at] - w;
    distances[at / static_cast<size_t>(dim)] += d * d;
    lengths[at / static_cast<size_t>(dim)] += w * w;
    total += w * w;
  }
  double largest = 0;
  for (size_t i = 0; i < rows; ++i) {
    const double error = distances[i] / std::fmax(lengths[i], total / static_cast<double>(rows));
    if (std::isnan(error)) return error;
    largest = std::fmax(largest, error);
  }
  return std::sqrt(largest);
}

double relative(double got, double want, double floor) {
  return std::fabs(got - want) / std::fmax(floor, std::fabs(want));
}

// How much the sums of tensor cores may add to the errors below. The positives here have dots of 0.7. Each
// step of 8 products of one sign takes 0.9 units of 2^-23 of the dot on average, see docs/numerics.md. A loss
// L of a row moves by the logit's error times 1 - exp(-L), which is below 0.7 of max(1, L), by which it is
// divided here.
double truncation(double scale, int64_t dim) {
  return scale * static_cast<double>(dim) / 8 * 0x1p-23 * (0.7 * 0.7 * 0.9);
}

class ShapeCheck {
 public:
  void run(const Kind& kind, const Loss& loss, int64_t rows, int64_t dim) {
    const Features queries(rows, dim, kind.dtype, 1), keys(rows, dim, kind.dtype, 2);
    compare(kind, loss, request(loss, queries, keys));
  }

 private:
  void compare(const Kind& kind, const Loss& loss, ContrastiveRequest r) {
    const cases::Run want = cases::run(*cpu_, r);
    r.bfloat16 = kind.bfloat16;
    const cases::Run got = cases::run(*cuda_, r);
    const bool repeats = cases::same_bits(got, cases::run(*cuda_, r));
    const double expected_error = relative(got.result.loss, want.result.loss, 1);
    const double errors[] = {row_error(got.d_queries, want.d_queries, r.queries.dim),
                             row_error(got.d_keys, want.d_keys, r.queries.dim),
                             relative(got.result.logit_scale_grad, want.result.logit_scale_grad, 1e-2),
                             relative(got.result.logit_bias_grad, want.result.logit_bias_grad, 1e-2)};
    const double lost = truncation(r.logit_scale, r.queries.dim);
    bool near = expected_error <= kind.loss + lost;
    for (const double e : errors) near = near && e <= kind.gradient + lost;  // false for NaN
    char line[256];
    std::snprintf(line, sizeof line,
                  "%-8s %-8s B=%-6ld D=%-4ld error of loss %.1e, dq %.1e, dk %.1e, scale %.1e, bias %.1e; "
                  "cpu %.0f ms, cuda %.0f ms",
                  loss.name, dtype_name(kind.dtype), static_cast<long>(r.queries.rows),
                  static_cast<long>(r.queries.dim), expected_error, errors[0], errors[1], errors[2],
                  errors[3], 1e3 * want.result.stats.seconds, 1e3 * got.result.stats.seconds);
    std::printf("%s %s\n", near && repeats ? "ok  " : "BAD ", line);
    CHECK(near, "%s", line);
    CHECK(repeats, "two runs differ: %s", line);
  }

  std::unique_ptr<Backend> cuda_ = make_cuda_backend(0, settings_from_environment());
  std::unique_ptr<Backend> cpu_ = make_cpu_backend(settings_from_environment());
};

}  // namespace

std::vector<CheckEntry> shape_checks(const ShapeGrid& grid) {
  std::vector<CheckEntry> checks;
  for (const int64_t rows : grid.rows)
    for (const int64_t dim : grid.dims)
      for (const Kind& kind : kKinds)
        for (const Loss& loss : kLosses)
          checks.push_back({std::string("shape:") + loss.name + ':' + dtype_name(kind.dtype) + ':' +
                                std::to_string(rows) + 'x' + std::to_string(dim),
                            [&kind, &loss, rows, dim] { ShapeCheck().run(kind, loss, rows, dim); }});
  return checks;
}

}  // namespace infcl::bench
