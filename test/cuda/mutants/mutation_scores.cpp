// Runs of the scores kernels, and of what sums up after them.
#include <algorithm>
#include <map>

#include "../kernels/scores_problem.h"
#include "mutation_runs.h"

using namespace infcl::cuda;
using namespace test;

namespace mutation {

namespace {

constexpr float kGScale = 4;

// Twice around the ring in three products of two planes, over 2 x 2 tiles.
ScoresCase small_case(const char* name) {
  ScoresCase c{};
  c.name = name;
  c.rows = 130;
  c.columns = 137;
  c.dim = 40;
  c.scale = 10;
  return c;
}

template <class F>
Output output(const char* name, const std::vector<Gathered>& all, double absolute, F value) {
  Output out{name, {}, 0, absolute};
  for (const Gathered& g : all) out.values.push_back(static_cast<double>(value(g)));
  return out;
}

void add_gathered(Outputs& all, const ScoresProblem& p, const std::vector<Gathered>& g, bool rows) {
  const double dot = 2 * p.dot_error(), count = rows ? p.c.columns : p.c.rows;
  if (p.c.sigmoid) {
    all.push_back(output("softplus", g, p.c.scale * dot * count, [](auto& x) { return x.sum; }));
    all.back().relative = 2e-6;
    return;
  }
  all.push_back(
      output("log2 of sums", g, p.scale2 * dot + 2e-6, [](auto& x) { return x.shift + std::log2(x.sum); }));
  all.push_back(output("dots", g, (2e-5 + dot) * count, [](auto& x) { return x.dot_sum; }));
  all.push_back(output("positives", g, (2e-5 + dot) * count, [](auto& x) { return x.positive_dot_sum; }));
  all.push_back(output("counts", g, 0, [](auto& x) { return x.count; }));
  if (!rows || p.c.triangle) return;
  all.push_back(output("maxima", g, dot, [](auto& x) { return x.max_dot; }));
  all.push_back(output("maxima of positives", g, dot, [](auto& x) { return x.positive_max_dot; }));
}

std::vector<Gathered> reduce(const gpu::Array<Partial>& partials, std::vector<Gathered> start, int64_t tiles,
                             int64_t stride, int triangle_side) {
  gpu::Array<Gathered> gathered(start);
  const ReduceArgs a{
      partials.get(), gathered.get(), static_cast<int32_t>(tiles), static_cast<int32_t>(start.size()),
      stride,         triangle_side};
  gpu::launch("reduce_kernel", reduce_shape(a), a);
  return gathered.read();
}

TileSums sum_tiles(const gpu::Array<TileSums>& tile_sums, int64_t row_tiles, int64_t column_tiles,
                   bool triangle) {
  gpu::Array<TileSums> total(1, TileSums{1, 2, 5, 3});
  const SumTilesArgs a{tile_sums.get(), total.get(), static_cast<int32_t>(row_tiles),
                       static_cast<int32_t>(column_tiles), triangle};
  gpu::launch("sum_tiles_kernel", sum_tiles_shape(a), a);
  return total.read()[0];
}

// 1 where there is more than poison.
std::vector<double> written(const gpu::Array<Partial>& partials) {
  std::vector<double> all;
  for (const Partial& p : partials.read()) all.push_back(std::isnan(p.shift) ? 0 : 1);
  return all;
}

Outputs forward(const ScoresCase& c, Precision precision = Precision::kTwoPlanes) {
  const ScoresProblem p(c, precision);
  const int64_t row_tiles = tiles_of(c.rows), column_tiles = tiles_of(c.columns);
  const int64_t row_stride = row_tiles * kTile, column_stride = column_tiles * kTile;
  gpu::Array<Partial> rows(static_cast<size_t>(column_tiles * row_stride), gpu::poison<Partial>());
  gpu::Array<Partial> columns(static_cast<size_t>(row_tiles * column_stride), gpu::poison<Partial>());
  gpu::Array<float> positive_dots(static_cast<size_t>(c.rows), gpu::poison<float>());
  gpu::Array<TileSums> tile_sums(static_cast<size_t>(row_tiles * column_tiles), gpu::poison<TileSums>());
  ForwardArgs a{p.args(), rows.get(), columns.get(), positive_dots.get(), tile_sums.get()};
  if (c.sigmoid) a.column_partials = nullptr;
  gpu::launch(p.kernel("scores_forward"), scores_shape(a.scores), a);

  Gathered empty{};
  empty.max_dot = empty.positive_max_dot = -HUGE_VALF;
  std::vector<Gathered> of_rows(static_cast<size_t>(c.rows), empty);
  Outputs all;
  of_rows = reduce(rows, of_rows, column_tiles, row_stride, c.triangle ? 0 : -1);
  if (c.triangle) {
    of_rows = reduce(columns, of_rows, row_tiles, column_stride, 1);
  } else if (!c.sigmoid) {
    const std::vector<Gathered> of_columns(static_cast<size_t>(c.columns), empty);
    add_gathered(all, p, reduce(columns, of_columns, row_tiles, column_stride, -1), false);
  }
  add_gathered(all, p, of_rows, true);
  all.push_back({"written partials of columns", written(columns)});
  const std::vector<float> found = positive_dots.read();
  all.push_back({"positive dots", {found.begin(), found.end()}, 0, 2 * p.dot_error()});
  const TileSums total = sum_tiles(tile_sums, row_tiles, column_tiles, c.triangle);
  all.push_back({"masked pairs", {static_cast<double>(total.masked)}, 0, 0});
  return all;
}

// Powers of two around the logits; far apart: more than one exponential can serve.
std::vector<float> shifts(int count, bool far_apart, Random& random) {
  std::uniform_int_distribution<int> any(6, far_apart ? 300 : 12);
  std::vector<float> all;
  for (int i = 0; i < count; ++i) all.push_back(static_cast<float>(any(random)));
  return all;
}

std::vector<float> factors(int count, double most, Random& random) {
  std::uniform_real_distribution<double> any(most / 3, most);
  std::vector<float> all;
  for (int i = 0; i < count; ++i) all.push_back(i % 17 == 3 ? 0 : static_cast<float>(any(random)));
  return all;
}

// Arguments of scores_backward and what they point to.
struct Backward {
  Backward(const ScoresProblem& p, bool far_apart, Random random = Random(17))
      : c(p.c),
        stride(padded(c.columns)),
        row_factors(factors(c.rows, 1e-2, random)),
        column_factors(factors(c.columns, 1e-2, random)),
        row_shifts(shifts(c.rows, far_apart, random)),
        column_shifts(shifts(c.columns, far_apart, random)),
        row_uniform(factors(c.smoothing ? c.rows : 0, 1e-3, random)),
        column_uniform(factors(c.smoothing ? c.columns : 0, 1e-3, random)),
        row_class_weights(factors(c.classes ? c.rows : 0, 1e-2, random)),
        column_class_weights(factors(c.classes ? c.columns : 0, 1e-2, random)),
        positive_dots(factors(c.rows, 1, random)),
        positive_grads(std::vector<double>(static_cast<size_t>(c.rows), -0.125)),
        high(static_cast<size_t>(padded(c.rows)) * stride, 0xffff),
        low(static_cast<size_t>(padded(c.rows)) * stride, 0xffff),
        tile_sums(static_cast<size_t>(tiles_of(c.rows) * tiles_of(c.columns)), gpu::poison<TileSums>()) {}

  BackwardArgs args(const ScoresProblem& p) const {
    return {p.args(),
            row_factors.get(),
            c.sigmoid ? nullptr : row_shifts.get(),
            c.sigmoid ? nullptr : column_factors.get(),
            c.sigmoid ? nullptr : column_shifts.get(),
            row_uniform.get(),
            column_uniform.get(),
            row_class_weights.get(),
            column_class_weights.get(),
            positive_dots.get(),
            positive_grads.get(),
            infcl::kLargestSpread,
            kGScale,
            high.get(),
            low.get(),
            stride,
            tile_sums.get(),
            false,
            0,
            0};
  }

  const ScoresCase& c;
  const int stride;
  gpu::Array<float> row_factors, column_factors, row_shifts, column_shifts, row_uniform, column_uniform,
      row_class_weights, column_class_weights, positive_dots;
  gpu::Array<double> positive_grads;
  gpu::Array<uint16_t> high, low;
  gpu::Array<TileSums> tile_sums;
};

Outputs backward(const ScoresCase& c, bool far_apart = false) {
  const ScoresProblem p(c, Precision::kTwoPlanes);
  const Backward b(p, far_apart);
  gpu::launch(p.kernel("scores_backward"), scores_shape(p.args()), b.args(p));
  const double relative = 4 * (p.scale2 * p.dot_error() + 1e-6);
  Output g{"gradients", {}, relative + 0x1p-15, c.classes ? 4e-5 : 1e-8};
  const std::vector<uint16_t> high = b.high.read(), low = b.low.read();
  for (size_t i = 0; i < high.size(); ++i)
    g.values.push_back(static_cast<double>(half::from_bfloat16(high[i])) + half::from_bfloat16(low[i]));
  // the low plane is what rounding to the high one left
  Output high_plane{"high plane", {}, 0x1p-7, 1e-8};
  for (uint16_t bits : high) high_plane.values.push_back(half::from_bfloat16(bits));
  const TileSums total = sum_tiles(b.tile_sums, tiles_of(c.rows), tiles_of(c.columns), c.triangle);
  Output sums{"sums of gradients", {total.dot_sum}, relative, 2e-2};
  if (!c.triangle) sums.values.push_back(total.sum);  // nobody asks
  return {g, high_plane, sums};
}

// The largest sum of |g| along a row or a column of each tile, of G as it was stored; then a number that half
// of the tiles exceed.
float middle_lost(const Backward& b, bool of_rows) {
  const std::vector<uint16_t> g = b.high.read();
  std::map<std::pair<int, int>, std::map<int, double>> sums;
  for (int i = 0; i < b.c.rows; ++i)
    for (int j = 0; j < b.c.columns; ++j)
      sums[{i / kTile, j / kTile}][of_rows ? i : j] +=
          std::fabs(half::from_bfloat16(g[static_cast<size_t>(i) * b.stride + j])) / kGScale;
  std::vector<double> lost;
  for (const auto& [tile, lines] : sums) {
    lost.push_back(0);
    for (const auto& [line, sum] : lines) lost.back() = std::max(lost.back(), sum);
  }
  std::sort(lost.begin(), lost.end());
  return static_cast<float>(std::sqrt(lost[lost.size() / 2 - 1] * lost[lost.size() / 2]));
}

Output skipped(const ScoresProblem& p, const Backward& b, bool of_rows) {
  BackwardArgs a = b.args(p);
  a.filters = true;
  a.row_filter = of_rows ? middle_lost(b, true) : INFINITY;
  a.column_filter = of_rows ? INFINITY : middle_lost(b, false);
  gpu::launch(p.kernel("scores_backward", true), scores_shape(p.args()), a);
  Output out{of_rows ? "left out for their rows" : "left out for their columns", {}, 0, 0};
  for (const TileSums& tile : b.tile_sums.read()) out.values.push_back(static_cast<double>(tile.skipped));
  return out;
}

ScoresCase with_labels(ScoresCase c) {
  c.labels = Labels::kOwnIndex;
  return c;
}

ScoresCase with_full_mask(ScoresCase c) {
  c.labels = Labels::kGiven;
  c.ids = c.limits = c.column_limits = c.smoothing = true;
  return c;
}

ScoresCase with_classes(ScoresCase c) {
  c.classes = true;
  return c;
}

ScoresCase with_dim(ScoresCase c, int dim) {
  c.dim = dim;
  return c;
}

ScoresCase with_rows(ScoresCase c, int rows) {
  c.rows = rows;
  return c;
}

ScoresCase with_scale(ScoresCase c, double scale) {
  c.scale = scale;
  return c;
}

ScoresCase with_sigmoid(ScoresCase c) {
  c = with_labels(c);
  c.sigmoid = true;
  return c;
}

// The ring ends in its first stage.
ScoresCase deep_case() {
  ScoresCase c = small_case("deep");
  c.rows = c.columns = 100;
  c.dim = 320;
  return c;
}

ScoresCase with_limits(ScoresCase c) {
  c.limits = true;
  return c;
}

ScoresCase with_triangle(ScoresCase c) {
  c.columns = c.rows;
  c.triangle = true;
  return c;
}

// More tiles than threads; poison where a triangle has nothing.
Outputs sums(bool triangle) {
  const int row_tiles = 20, column_tiles = 20;
  std::vector<TileSums> tiles;
  for (int i = 0; i < row_tiles * column_tiles; ++i) {
    const bool nothing = triangle && i % column_tiles < i / column_tiles;
    tiles.push_back(nothing ? gpu::poison<TileSums>() : TileSums{0.25 * i, 1 - 0.125 * i, i % 7, i % 2});
  }
  const TileSums total = sum_tiles(gpu::Array<TileSums>(tiles), row_tiles, column_tiles, triangle);
  return {{"sums",
           {total.dot_sum, total.sum, static_cast<double>(total.masked), static_cast<double>(total.skipped)},
           1e-14}};
}

}  // namespace

Outputs backward_filter() {
  const ScoresProblem p(with_labels(small_case("filter")), Precision::kTwoPlanes);
  const Backward b(p, false);
  gpu::launch(p.kernel("scores_backward", true), scores_shape(p.args()), b.args(p));
  return {skipped(p, b, true), skipped(p, b, false)};
}
Outputs sums_of_tiles() { return sums(false); }
Outputs sums_of_triangle() { return sums(true); }
Outputs forward_plain() { return forward(with_labels(small_case("plain"))); }
Outputs forward_deep() { return forward(with_dim(with_labels(small_case("deep")), 170)); }
Outputs forward_general() { return forward(with_full_mask(small_case("general"))); }
Outputs forward_classes() { return forward(with_classes(small_case("classes"))); }
Outputs forward_steep() { return forward(with_scale(small_case("steep"), 300)); }
Outputs forward_huge() { return forward(with_limits(with_scale(small_case("huge, exact"), 1e8))); }
Outputs forward_one_plane() { return forward(deep_case(), Precision::kBFloat16); }
Outputs forward_sigmoid_exact() { return forward(with_limits(with_sigmoid(small_case("sigmoid, exact")))); }
Outputs forward_sigmoid() { return forward(with_sigmoid(small_case("sigmoid"))); }
Outputs forward_triangle() { return forward(with_triangle(small_case("triangle"))); }
Outputs backward_plain() { return backward(with_labels(small_case("plain"))); }
Outputs backward_deep() { return backward(with_dim(with_labels(small_case("deep")), 170)); }
Outputs backward_one_tile() { return backward(with_rows(with_labels(small_case("one tile")), 100)); }
Outputs backward_general() { return backward(with_full_mask(small_case("general"))); }
Outputs backward_classes() { return backward(with_classes(small_case("classes"))); }
Outputs backward_steep() { return backward(small_case("steep"), true); }
Outputs backward_sigmoid() { return backward(with_sigmoid(small_case("sigmoid"))); }
Outputs backward_triangle() { return backward(with_triangle(small_case("triangle"))); }

}  // namespace mutation
