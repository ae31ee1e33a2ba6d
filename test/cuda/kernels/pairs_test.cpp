// pair_dots_kernel and pair_gradients_kernel against dense loops.
#include "../../native/check.h"
#include "operand.h"

using namespace infcl::cuda;
using namespace test;

namespace {

struct Case {
  int rows, per_row, dim;
  bool labelled;
};

class Pairs {
 public:
  Pairs(const Case& pairs_case, Precision p)
      : c(pairs_case),
        count(c.rows * c.per_row),
        random_(static_cast<unsigned>(count * 100 + c.dim)),
        rows(random_features(p, c.rows, c.dim, false, random_)),
        columns(random_features(p, count, c.dim, false, random_)) {
    std::uniform_int_distribution<int32_t> any(0, count - 1);
    std::normal_distribution<float> normal;
    for (int k = 0; k < count; ++k) {
      g.push_back(normal(random_));
      if (c.labelled) labels.push_back(any(random_));
    }
  }
  int column(int pair) const { return labels.empty() ? pair : labels[pair]; }

  const Case c;
  const int count;

 private:
  Random random_;

 public:
  const Matrix rows, columns;
  std::vector<int32_t> labels;
  std::vector<float> g;
};

constexpr float kRounding = 0x1p-10f;

// The product of two low planes is left out, as tiles leave it out.
void check_dots(const Pairs& p, const std::vector<float>& got, const std::vector<float>& errors) {
  for (int k = 0; k < p.count; ++k) {
    double want = 0, size = 0;
    for (int d = 0; d < p.c.dim; ++d) {
      const int row = k / p.c.per_row, column = p.column(k);
      const double product = p.rows.get(row, d) * p.columns.get(column, d);
      want += product - p.rows.get_low(row, d) * p.columns.get_low(column, d);
      size += std::fabs(product);
    }
    CHECK(std::fabs(got[k] - want) <= 1e-6 * size, "dot %d: %.9g, not %.9g", k, got[k], want);
    CHECK(std::fabs(errors[k] - kRounding * size) <= 1e-6 * kRounding * size,
          "error of dot %d: %.9g, not %.9g", k, errors[k], kRounding * size);
  }
}

void check_gradients(const Pairs& p, const std::vector<float>& d_rows, const std::vector<float>& d_columns) {
  const int stride = p.rows.stride;
  for (int i = 0; i < p.c.rows; ++i)
    for (int d = 0; d < stride; ++d) {
      double want = 2, size = 2;
      for (int k = i * p.c.per_row; k < (i + 1) * p.c.per_row; ++k) {
        const double product = p.g[k] * p.columns.get(p.column(k), d);
        want += product;
        size += std::fabs(product);
        if (d_columns.empty()) continue;
        const double own = p.g[k] * p.rows.get(i, d), value = d_columns[static_cast<size_t>(k) * stride + d];
        CHECK(std::fabs(value - own) <= 1e-6 * std::fabs(own), "d_columns[%d][%d]: %.9g, not %.9g", k, d,
              value, own);
      }
      if (d_rows.empty()) continue;
      const double value = d_rows[static_cast<size_t>(i) * stride + d];
      CHECK(std::fabs(value - want) <= 1e-6 * size, "d_rows[%d][%d]: %.9g, not %.9g", i, d, value, want);
    }
}

void check_case(const Case& c, Precision precision, bool want_rows, bool want_columns) {
  const Pairs p(c, precision);
  const DeviceMatrix rows(p.rows), columns(p.columns);
  const gpu::Array<int32_t> labels(p.labels);
  const gpu::Array<float> g(p.g);
  const size_t stride = static_cast<size_t>(p.rows.stride);
  gpu::Array<float> dots(static_cast<size_t>(p.count), gpu::poison<float>());
  gpu::Array<float> errors(static_cast<size_t>(p.count), gpu::poison<float>());
  gpu::Array<float> d_rows(want_rows ? c.rows * stride : 0, 2.f);
  gpu::Array<float> d_columns(want_columns ? p.count * stride : 0, gpu::poison<float>());
  PairArgs a{};
  a.rows = rows.planes();
  a.columns = columns.planes();
  a.padded_dim = p.rows.stride;
  a.dim = c.dim;
  a.float16 = precision == Precision::kFloat16;
  a.count = p.count;
  a.per_row = c.per_row;
  a.labels = labels.get();
  a.dots = dots.get();
  a.errors = errors.get();
  a.rounding = kRounding;
  a.g = g.get();
  a.d_rows = d_rows.get();
  a.d_columns = d_columns.get();
  gpu::launch("pair_dots_kernel", pair_dots_shape(a), a);
  gpu::launch("pair_gradients_kernel", pair_gradients_shape(a), a);
  check_dots(p, dots.read(), errors.read());
  check_gradients(p, d_rows.read(), d_columns.read());
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  for (Precision precision : kPrecisions) {
    for (int dim : {1, 64, 65, 200}) check_case({13, 1, dim, true}, precision, true, true);
    for (int per_row : {1, 3}) check_case({9, per_row, 70, false}, precision, true, true);
    check_case({9, 2, 70, false}, precision, true, false);
    check_case({9, 2, 70, false}, precision, false, true);
  }
  return check::summary();
}
