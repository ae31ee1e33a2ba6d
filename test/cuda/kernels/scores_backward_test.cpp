// Backward: logit gradients of a block, their sums, and which tiles a filter leaves out, against dense loops.
#include <algorithm>

#include "../../native/check.h"
#include "scores_problem.h"

using namespace infcl::cuda;
using namespace test;

namespace {

// What the engine knows after a forward pass: normalisers of rows and columns, and gradients of positives.
struct Factors {
  std::vector<float> factor, shift, uniform, share;
};

struct Knowledge {
  Factors rows, columns;
  std::vector<float> positive_dots;
  std::vector<double> positive_grads;
};

// exponentials(i, k): base-2 logit of the k-th term of anchor i, -inf where it does not count
template <class F>
Factors make_factors(const ScoresProblem& p, int count, int terms, Random& random, F logit) {
  std::uniform_real_distribution<double> weight(0.5, 1.5);
  Factors f;
  for (int i = 0; i < count; ++i) {
    double most = -HUGE_VAL, sum = 0;
    for (int k = 0; k < terms; ++k) most = std::max(most, logit(i, k));
    for (int k = 0; k < terms && most > -HUGE_VAL; ++k) sum += std::exp2(logit(i, k) - most);
    // now and then an anchor without weight or without terms: its shift may be anything
    const bool term = most > -HUGE_VAL && i % 17 != 3;
    const double log2 = most + std::log2(sum), w = weight(random) / count;
    // as LseVector::normalise: beyond 2^24 float32 does not hold the neighbours of a shift
    const double shift = std::fabs(most) > 0x1p24 ? std::rint(most) : std::floor(log2);
    f.factor.push_back(p.c.sigmoid ? static_cast<float>(w)
                       : term      ? static_cast<float>(w * std::exp2(shift - log2))
                                   : 0);
    f.shift.push_back(term ? static_cast<float>(shift) : NAN);
    if (p.c.smoothing) f.uniform.push_back(static_cast<float>(0.1 * w / terms));
    if (p.c.classes) f.share.push_back(static_cast<float>(w / 9));
  }
  return f;
}

Knowledge know(const ScoresProblem& p) {
  Random random(17);
  Knowledge k;
  const auto logit = [&](int i, int j) { return p.counts(i, j) ? p.logit(i, j) : -HUGE_VAL; };
  k.rows = make_factors(p, p.c.rows, p.c.columns, random, logit);
  k.columns = p.c.triangle
                  ? k.rows
                  : make_factors(p, p.c.columns, p.c.rows, random, [&](int j, int i) { return logit(i, j); });
  for (int i = 0; i < p.c.rows; ++i) {
    k.positive_dots.push_back(0.125f + static_cast<float>(i) / 1024);
    k.positive_grads.push_back(-1e-3 / (i + 1));
  }
  return k;
}

struct Gradient {
  double value = 0;
  double in_sums = 0;  // without uniform terms and class positives
  double size = 0;     // of its terms
};

// On the diagonal of a triangle both orders of a pair are there, each with its row's terms.
bool has_column_terms(const ScoresProblem& p, int i, int j) {
  return !p.c.triangle || i / kTile != j / kTile;
}

Gradient expected(const ScoresProblem& p, const Knowledge& k, int i, int j) {
  Gradient g;
  const double columns = has_column_terms(p, i, j) ? 1 : 0;
  const auto term = [&](const Factors& f, int at) {
    return f.factor[at] == 0 ? 0 : f.factor[at] * std::exp2(p.logit(i, j) - f.shift[at]);
  };
  switch (p.pair(i, j)) {
    case Pair::kPositive:
      g.value = g.in_sums = k.positive_grads[i];
      break;
    case Pair::kCounts:
      g.value = p.c.sigmoid ? k.rows.factor[i] / (1 + std::exp2(-p.logit(i, j)))
                            : term(k.rows, i) + columns * term(k.columns, j);
      g.in_sums = g.size = g.value;
      if (p.c.smoothing) g.value -= k.rows.uniform[i] + columns * k.columns.uniform[j];
      if (p.class_positive(i, j)) g.value -= k.rows.share[i] + columns * k.columns.share[j];
      break;
    case Pair::kSelf:
    case Pair::kMasked:
      break;
  }
  g.size += std::fabs(g.value);
  return g;
}

struct Run {
  Matrix g;
  TileSums total;
  std::vector<TileSums> tiles;
};

constexpr double kFloat16Scale = 1024;

double g_scale(Precision p) { return p == Precision::kFloat16 ? kFloat16Scale : 1; }

// `filter`: the bound on sums of |g| along a tile; negative: no filter.
Run run(const ScoresProblem& p, const Knowledge& k, double filter = -1) {
  const bool columns = !p.c.sigmoid;
  const gpu::Array<float> row_factors(k.rows.factor), row_shifts(k.rows.shift), row_uniform(k.rows.uniform),
      row_class_weights(k.rows.share), column_factors(k.columns.factor), column_shifts(k.columns.shift),
      column_uniform(k.columns.uniform), column_class_weights(k.columns.share),
      positive_dots(k.positive_dots);
  const gpu::Array<double> positive_grads(k.positive_grads);
  const int64_t row_tiles = tiles_of(p.c.rows), column_tiles = tiles_of(p.c.columns);
  Matrix g(p.precision, padded(p.c.rows), padded(p.c.columns));
  const bool two = p.precision == Precision::kTwoPlanes;
  gpu::Array<uint16_t> high(g.high.size(), 0xffff), low(two ? g.low.size() : 0, 0xffff);
  gpu::Array<TileSums> tile_sums(static_cast<size_t>(row_tiles * column_tiles), gpu::poison<TileSums>());
  BackwardArgs a{};
  a.scores = p.args();
  a.row_factors = row_factors.get();
  a.row_shifts = p.c.sigmoid ? nullptr : row_shifts.get();
  a.column_factors = columns ? column_factors.get() : nullptr;
  a.column_shifts = columns ? column_shifts.get() : nullptr;
  a.row_uniform = row_uniform.get();
  a.column_uniform = column_uniform.get();
  a.row_class_weights = row_class_weights.get();
  a.column_class_weights = column_class_weights.get();
  a.positive_dots = positive_dots.get();
  a.positive_grads = positive_grads.get();
  a.largest_spread = infcl::kLargestSpread;
  a.g_scale = static_cast<float>(g_scale(p.precision));
  a.g_high = high.get();
  a.g_low = low.get();
  a.g_stride = g.stride;
  a.tile_sums = tile_sums.get();
  a.filters = filter >= 0;
  a.row_filter = a.column_filter = static_cast<float>(filter);
  gpu::launch(p.kernel("scores_backward", a.filters), scores_shape(a.scores), a);

  gpu::Array<TileSums> total(1, TileSums{});
  const SumTilesArgs sum{tile_sums.get(), total.get(), static_cast<int32_t>(row_tiles),
                         static_cast<int32_t>(column_tiles), p.c.triangle};
  gpu::launch("sum_tiles_kernel", sum_tiles_shape(sum), sum);
  g.high = high.read();
  if (two) g.low = low.read();
  return {g, total.read()[0], tile_sums.read()};
}

// What storing a gradient of this size may change.
double rounding(Precision p, double g) {
  const double size = std::fabs(g);
  if (p == Precision::kBFloat16) return size * 0x1p-8;
  if (p == Precision::kTwoPlanes) return size * 0x1p-16;
  return size * 0x1p-11 + 0x1p-25 / kFloat16Scale;
}

void check_case(const ScoresProblem& p, const Knowledge& k, const Run& got) {
  const double relative = p.scale2 * p.dot_error() + 1e-6;
  double dot_sum = 0, sum = 0, dot_size = 0, size = 0;
  for (int i = 0; i < padded(p.c.rows); ++i)
    for (int j = 0; j < padded(p.c.columns); ++j) {
      const double value = got.g.get(i, j) / g_scale(p.precision);
      if (p.c.triangle && j / kTile < i / kTile) {
        if (!std::isnan(value))
          CHECK(false, "%s: g[%d][%d] written below the diagonal", p.c.name.c_str(), i, j);
        continue;
      }
      const bool exists = i < p.c.rows && j < p.c.columns;
      const Gradient want = exists ? expected(p, k, i, j) : Gradient();
      // exponentials far below their normaliser may be flushed to zero
      const double error = want.size * relative + rounding(p.precision, want.value) + 0x1p-75;
      CHECK(std::fabs(value - want.value) <= error, "%s %s: g[%d][%d] is %.9g, not %.9g (+- %.3g)",
            p.c.name.c_str(), test::name(p.precision), i, j, value, want.value, error);
      if (p.precision == Precision::kTwoPlanes)
        CHECK(got.g.is_split(i, j), "%s: planes of g[%d][%d] exchanged", p.c.name.c_str(), i, j);
      if (!exists) continue;
      const double dot = p.pair(i, j) == Pair::kPositive ? k.positive_dots[i] : p.dot(i, j);
      dot_sum += want.in_sums * dot;
      dot_size += want.size * std::fabs(dot);
      sum += want.in_sums;
      size += want.size;
    }
  const double error = size * p.dot_error() + dot_size * relative;
  CHECK(std::fabs(got.total.dot_sum - dot_sum) <= error, "%s %s: sum of g dot is %.9g, not %.9g (+- %.3g)",
        p.c.name.c_str(), test::name(p.precision), got.total.dot_sum, dot_sum, error);
  if (p.c.triangle) return;  // nobody asks
  CHECK(std::fabs(got.total.sum - sum) <= size * relative, "%s %s: sum of g is %.9g, not %.9g",
        p.c.name.c_str(), test::name(p.precision), got.total.sum, sum);
}

// The largest sum of |g| along a row or a column of each tile that exists.
std::vector<double> tile_sums_of_g(const ScoresProblem& p, const Knowledge& k) {
  const int64_t column_tiles = tiles_of(p.c.columns);
  std::vector<double> rows(static_cast<size_t>(padded(p.c.rows) * column_tiles)),
      columns(static_cast<size_t>(tiles_of(p.c.rows) * padded(p.c.columns)));
  for (int i = 0; i < p.c.rows; ++i)
    for (int j = 0; j < p.c.columns; ++j) {
      const double size = std::fabs(expected(p, k, i, j).value);
      rows[static_cast<size_t>(i * column_tiles + j / kTile)] += size;
      columns[static_cast<size_t>(i / kTile * padded(p.c.columns) + j)] += size;
    }
  std::vector<double> sums(static_cast<size_t>(tiles_of(p.c.rows) * column_tiles));
  for (size_t at = 0; at < sums.size(); ++at) {
    const int64_t row = static_cast<int64_t>(at) / column_tiles,
                  column = static_cast<int64_t>(at) % column_tiles;
    for (int64_t i = 0; i < kTile; ++i)
      sums[at] = std::max({sums[at], rows[static_cast<size_t>((row * kTile + i) * column_tiles + column)],
                           columns[static_cast<size_t>(row * padded(p.c.columns) + column * kTile + i)]});
  }
  return sums;
}

// A filter skips exactly the tiles whose sums it bounds, and changes nothing else.
void check_filter(const ScoresProblem& p, const Knowledge& k, const Run& exact) {
  const std::vector<double> sums = tile_sums_of_g(p, k);
  for (size_t chosen = 0; chosen < sums.size(); ++chosen)
    for (const double factor : {0.97, 1.03}) {  // just too little for this tile, and just enough
      const double filter = sums[chosen] * factor;
      const Run got = run(p, k, filter);
      int64_t skipped = 0;
      for (size_t at = 0; at < sums.size(); ++at) {
        const int64_t row = static_cast<int64_t>(at) / tiles_of(p.c.columns),
                      column = static_cast<int64_t>(at) % tiles_of(p.c.columns);
        if (p.c.triangle && column < row) continue;
        skipped += got.tiles[at].skipped;
        if (std::fabs(sums[at] - filter) < (0.02 + p.scale2 * p.dot_error()) * filter) continue;
        CHECK(got.tiles[at].skipped == (sums[at] <= filter), "%s %s: tile %zu with %g, filter %g",
              p.c.name.c_str(), test::name(p.precision), at, sums[at], filter);
      }
      CHECK(got.total.skipped == skipped && got.total.dot_sum == exact.total.dot_sum &&
                got.g.high == exact.g.high && got.g.low == exact.g.low,
            "%s %s: the filter changes more than it should", p.c.name.c_str(), test::name(p.precision));
    }
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  for (const ScoresCase& c : scores_cases())
    for (Precision precision : kPrecisions) {
      const ScoresProblem p(c, precision);
      const Knowledge k = know(p);
      const Run exact = run(p, k);
      check_case(p, k, exact);
      if (precision == Precision::kBFloat16 && tiles_of(c.rows) * tiles_of(c.columns) <= 9)
        check_filter(p, k, exact);
    }
  return check::summary();
}
