// Forward: what tiles gather, and what reduce_kernel and sum_tiles_kernel make of it, against a dense loop.
#include <algorithm>

#include "../../native/check.h"
#include "scores_problem.h"

using namespace infcl::cuda;
using namespace test;

namespace {

struct Expected {
  std::vector<double> logits;  // base 2, of what counts
  double softplus = 0, max_dot = -HUGE_VAL, positive_max_dot = -HUGE_VAL, dot_sum = 0, dot_size = 0;
  double positive_dot_sum = 0;
  int64_t count = 0;

  void add(const ScoresProblem& p, int i, int j) {
    if (!p.counts(i, j)) return;
    const double dot = p.dot(i, j), x = p.logit(i, j);
    logits.push_back(x);
    softplus += std::max(x, 0.) * std::log(2.) + std::log1p(std::exp2(-std::fabs(x)));
    max_dot = std::max(max_dot, dot);
    dot_sum += dot;
    dot_size += std::fabs(dot);
    ++count;
    if (!p.class_positive(i, j)) return;
    positive_max_dot = std::max(positive_max_dot, dot);
    positive_dot_sum += dot;
  }
  double log2_sum() const {
    const double most = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double x : logits) sum += std::exp2(x - most);
    return most + std::log2(sum);
  }
};

struct Run {
  std::vector<Gathered> rows, columns;
  std::vector<float> positive_dots;
  TileSums total;
};

std::vector<Gathered> reduce(const gpu::Array<Partial>& partials, std::vector<Gathered> start, int64_t tiles,
                             int64_t stride, int triangle_side) {
  gpu::Array<Gathered> gathered(start);
  const ReduceArgs a{
      partials.get(), gathered.get(), static_cast<int32_t>(tiles), static_cast<int32_t>(start.size()),
      stride,         triangle_side};
  gpu::launch("reduce_kernel", reduce_shape(a), a);
  return gathered.read();
}

// The diagonal tiles of a triangle leave nothing along columns, and those below it nothing at all.
void check_diagonal_columns(const ScoresProblem& p, const std::vector<Partial>& columns) {
  const int64_t stride = tiles_of(p.c.columns) * kTile;
  for (int64_t tile = 0; tile < tiles_of(p.c.rows); ++tile)
    for (int64_t j = 0; j < std::min<int64_t>(stride, (tile + 1) * kTile); ++j)
      CHECK(std::isnan(columns[static_cast<size_t>(tile * stride + j)].sum),
            "%s: column %lld has a partial sum of tile row %lld", p.c.name.c_str(), static_cast<long long>(j),
            static_cast<long long>(tile));
}

Run run(const ScoresProblem& p) {
  const int64_t row_tiles = tiles_of(p.c.rows), column_tiles = tiles_of(p.c.columns);
  const int64_t row_stride = row_tiles * kTile, column_stride = column_tiles * kTile;
  gpu::Array<Partial> rows(static_cast<size_t>(column_tiles * row_stride), gpu::poison<Partial>());
  gpu::Array<Partial> columns(static_cast<size_t>(row_tiles * column_stride), gpu::poison<Partial>());
  gpu::Array<float> positive_dots(static_cast<size_t>(p.c.rows), gpu::poison<float>());
  gpu::Array<TileSums> tile_sums(static_cast<size_t>(row_tiles * column_tiles), gpu::poison<TileSums>());
  ForwardArgs a{};
  a.scores = p.args();
  a.row_partials = rows.get();
  a.column_partials = p.c.sigmoid ? nullptr : columns.get();
  a.positive_dots = positive_dots.get();
  a.tile_sums = tile_sums.get();
  gpu::launch(p.kernel("scores_forward"), scores_shape(a.scores), a);

  Gathered empty{};
  empty.max_dot = empty.positive_max_dot = -HUGE_VALF;
  Run out{};
  out.rows = reduce(rows, std::vector<Gathered>(static_cast<size_t>(p.c.rows), empty), column_tiles,
                    row_stride, p.c.triangle ? 0 : -1);
  if (p.c.triangle) {
    out.rows = reduce(columns, out.rows, row_tiles, column_stride, 1);
  } else if (!p.c.sigmoid) {
    out.columns = reduce(columns, std::vector<Gathered>(static_cast<size_t>(p.c.columns), empty), row_tiles,
                         column_stride, -1);
  }
  if (p.c.triangle) check_diagonal_columns(p, columns.read());
  out.positive_dots = positive_dots.read();
  gpu::Array<TileSums> total(1, TileSums{0, 0, 5, 0});
  const SumTilesArgs sum{tile_sums.get(), total.get(), static_cast<int32_t>(row_tiles),
                         static_cast<int32_t>(column_tiles), p.c.triangle};
  gpu::launch("sum_tiles_kernel", sum_tiles_shape(sum), sum);
  out.total = total.read()[0];
  return out;
}

bool near(double got, double want, double error) { return std::fabs(got - want) <= error; }

void check_exponentials(const ScoresProblem& p, const Gathered& got, const Expected& want, const char* what,
                        int i) {
  const char* name = p.c.name.c_str();
  if (p.c.sigmoid) {
    const double error = want.softplus * 1e-6 + p.c.scale * p.dot_error() * want.count;
    CHECK(near(got.sum, want.softplus, error), "%s %s %s %d: softplus %.9g, not %.9g", name,
          test::name(p.precision), what, i, got.sum, want.softplus);
    return;
  }
  if (want.logits.empty()) {
    CHECK(got.sum == 0, "%s %s %s %d: sum %g of nothing", name, test::name(p.precision), what, i, got.sum);
    return;
  }
  const double log2 = got.shift + std::log2(got.sum), expected = want.log2_sum();
  // a logit's distance to the shift is rounded twice: with the scale's high part, and with its low one
  const double rounding = 1e-6 + 0x1p-23 * std::fabs(got.shift - expected);
  CHECK(near(log2, expected, p.scale2 * p.dot_error() + rounding) && got.shift == std::floor(got.shift),
        "%s %s %s %d: log2 sum %.9g (shift %g), not %.9g", name, test::name(p.precision), what, i, log2,
        got.shift, expected);
}

void check_side(const ScoresProblem& p, const std::vector<Gathered>& got, const std::vector<Expected>& want,
                bool rows) {
  const char *name = p.c.name.c_str(), *what = rows ? "row" : "column";
  for (size_t i = 0; i < got.size(); ++i) {
    const Gathered& g = got[i];
    const Expected& w = want[i];
    const int at = static_cast<int>(i);
    check_exponentials(p, g, w, what, at);
    const double error = w.dot_size * 1e-6 + p.dot_error() * static_cast<double>(w.count);
    if (p.c.smoothing)
      CHECK(g.count == w.count && near(g.dot_sum, w.dot_sum, error),
            "%s %s %d: %lld dots, sum %.9g, not %lld, %.9g", name, what, at, static_cast<long long>(g.count),
            g.dot_sum, static_cast<long long>(w.count), w.dot_sum);
    if (p.c.classes)
      CHECK(near(g.positive_dot_sum, w.positive_dot_sum, error), "%s %s %d: positives %.9g, not %.9g", name,
            what, at, g.positive_dot_sum, w.positive_dot_sum);
    if (!rows || p.c.triangle) continue;  // of a triangle nothing is ranked
    const auto same = [&](float a, double b) { return a == b || near(a, b, p.dot_error()); };
    CHECK(same(g.max_dot, w.max_dot) && same(g.positive_max_dot, w.positive_max_dot),
          "%s %s %d: maxima %g and %g, not %g and %g", name, what, at, g.max_dot, g.positive_max_dot,
          w.max_dot, w.positive_max_dot);
  }
}

void check_positive_dots(const ScoresProblem& p, const std::vector<float>& got) {
  for (int i = 0; i < p.c.rows; ++i) {
    bool found = false;
    for (int j = 0; j < p.c.columns; ++j) {
      if (p.pair(i, j) != Pair::kPositive) continue;
      found = true;
      CHECK(near(got[i], p.dot(i, j), p.dot_error()), "%s: positive of row %d: %.9g, not %.9g",
            p.c.name.c_str(), i, got[i], p.dot(i, j));
    }
    if (!found) CHECK(std::isnan(got[i]), "%s: row %d has no positive here", p.c.name.c_str(), i);
  }
}

void check_case(const ScoresProblem& p) {
  std::vector<Expected> rows(static_cast<size_t>(p.c.rows)), columns(static_cast<size_t>(p.c.columns));
  int64_t masked = 0;
  for (int i = 0; i < p.c.rows; ++i)
    for (int j = 0; j < p.c.columns; ++j) {
      rows[i].add(p, i, j);
      columns[j].add(p, i, j);
      masked += p.pair(i, j) == Pair::kMasked && (!p.c.triangle || i < j);
    }
  const Run got = run(p);
  check_side(p, got.rows, rows, true);
  check_side(p, got.columns, columns, false);
  check_positive_dots(p, got.positive_dots);
  CHECK(got.total.masked == masked + 5 && got.total.sum == 0, "%s: %lld masked, not %lld", p.c.name.c_str(),
        static_cast<long long>(got.total.masked), static_cast<long long>(masked + 5));
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  for (const ScoresCase& c : scores_cases())
    for (Precision precision : kPrecisions) check_case(ScoresProblem(c, precision));
  return check::summary();
}
