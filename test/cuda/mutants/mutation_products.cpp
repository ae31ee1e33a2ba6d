// Runs of accumulate, split and pairs, and the comparison of results.
#include <algorithm>

#include "../kernels/operand.h"
#include "../kernels/sparse_runs.h"
#include "mutation_runs.h"

using namespace infcl::cuda;
using namespace test;

namespace mutation {

namespace {

constexpr float kInverseGScale = 0.25f;

struct Block {
  int rows, columns, dim;
  bool triangle, overwrite, skips = false;
  // in rows and columns of tiles: some runs of several tiles, some of one
  bool skips_tile(int row, int column) const { return skips && (row + 2 * column) % 3 == 1; }
};

// Poison where a triangle has nothing and in what is left out, zeros beyond the edges.
Matrix random_g(const Block& b, Random& random) {
  const int rows = b.rows, columns = b.columns;
  Matrix g(Precision::kTwoPlanes, padded(rows), padded(columns));
  std::normal_distribution<double> normal;
  for (int i = 0; i < padded(rows); ++i)
    for (int j = 0; j < padded(columns); ++j) {
      if ((b.triangle && j / kTile < i / kTile) || b.skips_tile(i / kTile, j / kTile))
        g.high[g.index(i, j)] = g.low[g.index(i, j)] = 0xffff;
      else
        g.set(i, j, i < rows && j < columns ? normal(random) : 0);
    }
  return g;
}

Output gradients(const char* name, const gpu::Array<float>& out, int terms) {
  const std::vector<float> values = out.read();
  return {name, {values.begin(), values.end()}, 4e-5, 1e-4 * kInverseGScale * std::sqrt(terms)};
}

// Both gradients of a block in float32. 72 features: with padding a tile, and 8 of them exist.
Outputs accumulate(const Block& b) {
  const auto [rows, columns, dim, triangle, overwrite, skips] = b;
  Random random(5);
  const Precision p = Precision::kTwoPlanes;
  const Matrix row_features = random_features(p, rows, dim, false, random);
  const Matrix column_features = triangle ? row_features : random_features(p, columns, dim, false, random);
  const Matrix host_g = random_g(b, random);
  const DeviceMatrix of_rows(row_features), of_columns(column_features), g(host_g);
  const size_t stride = static_cast<size_t>(row_features.stride);
  gpu::Array<float> d_rows(padded(rows) * stride, 3.f), d_columns(padded(columns) * stride, 3.f);
  AccumulateArgs a{};
  a.g_high = g.planes().high;
  a.g_low = g.planes().low;
  a.g_stride = host_g.stride;
  a.row_count = rows;
  a.column_count = columns;
  a.padded_dim = row_features.stride;
  a.inverse_g_scale = kInverseGScale;
  a.triangle = triangle;
  a.rows = {of_columns.planes(), d_rows.get(), rows, overwrite};
  a.columns = {of_rows.planes(), d_columns.get(), columns, overwrite};
  std::vector<TileSums> tiles;
  for (int i = 0; i < tiles_of(rows); ++i)
    for (int j = 0; j < tiles_of(columns); ++j) tiles.push_back({0, 0, 0, b.skips_tile(i, j)});
  const gpu::Array<TileSums> device_tiles(tiles);
  if (skips) {
    a.tile_sums = device_tiles.get();
    gpu::launch_raw("accumulate_skipping_two_planes_kernel", accumulate_shape(a), {&a});
  } else {
    gpu::launch("accumulate_two_planes_kernel", accumulate_shape(a), a);
  }
  return {gradients("rows", d_rows, columns), gradients("columns", d_columns, rows)};
}

// Rows further apart than they are long, and a NaN in each of two rows.
template <class T>
Outputs split(const std::vector<T>& in, Element element, bool to_float16, int rows, int dim, int stride) {
  const int padded_dim = round_up(dim, kDimAlignment);
  const size_t size = static_cast<size_t>(rows) * padded_dim;
  const gpu::Array<T> device(in);
  const gpu::Array<uint16_t> high(size, 0xffff), low(to_float16 ? 0 : size, 0xffff);
  const gpu::Array<Findings> findings(1, kNoFindings);
  const SplitArgs a{device.get(), element,    rows,       dim,  stride,        high.get(),
                    low.get(),    padded_dim, to_float16, 1000, findings.get()};
  gpu::launch("split_kernel", split_shape(a), a);
  const std::vector<uint16_t> highs = high.read(), lows = low.read();
  const Findings found = findings.read()[0];
  Outputs all{{"high plane", {highs.begin(), highs.end()}},
              {"low plane", {lows.begin(), lows.end()}},
              {"first not finite", {static_cast<double>(found.first_not_finite)}}};
  double squares;
  std::memcpy(&squares, &found.longest_squares, sizeof squares);
  if (std::isfinite(squares)) all.push_back({"squares of the longest row", {squares}, 1e-14});
  return all;
}

// Compared bit by bit, as the test of these runs does.
Outputs far(sparse::Run run) {
  const sparse::Bits bits = run(sparse::kFar);
  return {{"bits of the last rows", {bits.begin(), bits.end()}}};
}

}  // namespace

Outputs accumulate_block() { return accumulate({140, 130, 72, false, false}); }
Outputs accumulate_wide() { return accumulate({140, 130, 200, false, false}); }
Outputs accumulate_over() { return accumulate({100, 128, 150, false, true}); }
Outputs accumulate_triangle() { return accumulate({140, 140, 64, true, true}); }
Outputs accumulate_skipping() { return accumulate({400, 500, 64, false, true, true}); }

Outputs split_float32() {
  const int rows = 13, dim = 75, stride = 80;
  Random random(3);
  std::normal_distribution<float> normal;
  std::vector<float> in(static_cast<size_t>((rows - 1) * stride + dim));
  for (float& x : in) x = normal(random);
  in[stride + 70] = in[5 * stride + 2] = INFINITY;
  return split(in, Element::kFloat32, false, rows, dim, stride);
}

Outputs split_float16() {
  const int rows = 9, dim = 65, stride = 65;
  Random random(3);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> in(static_cast<size_t>(rows * stride));
  for (uint16_t& x : in) x = half::to_float16(normal(random));
  return split(in, Element::kFloat16, true, rows, dim, stride);
}

Outputs pair_rows() {
  const int rows = 5, per_row = 9, dim = 137, count = rows * per_row;
  Random random(11);
  const Matrix own = random_features(Precision::kTwoPlanes, rows, dim, false, random);
  const Matrix others = random_features(Precision::kTwoPlanes, count, dim, false, random);
  std::vector<int32_t> labels;
  std::vector<float> g;
  for (int k = 0; k < count; ++k) {
    labels.push_back((7 * k + 2) % count);
    g.push_back(0.5f + static_cast<float>(k) / 16);
  }
  const DeviceMatrix device_rows(own), device_others(others);
  const gpu::Array<int32_t> device_labels(labels);
  const gpu::Array<float> device_g(g), dots(static_cast<size_t>(count), gpu::poison<float>()),
      errors(static_cast<size_t>(count), gpu::poison<float>());
  const size_t stride = static_cast<size_t>(own.stride);
  const gpu::Array<float> d_rows(rows * stride, 2.f), d_columns(count * stride, gpu::poison<float>());
  PairArgs a{};
  a.rows = device_rows.planes();
  a.columns = device_others.planes();
  a.padded_dim = own.stride;
  a.dim = dim;
  a.count = count;
  a.per_row = per_row;
  a.labels = device_labels.get();
  a.dots = dots.get();
  a.errors = errors.get();
  a.rounding = 1;
  a.g = device_g.get();
  a.d_rows = d_rows.get();
  a.d_columns = d_columns.get();
  gpu::launch("pair_dots_kernel", pair_dots_shape(a), a);
  gpu::launch("pair_gradients_kernel", pair_gradients_shape(a), a);
  const std::vector<float> found = dots.read(), sizes = errors.read(), to_rows = d_rows.read(),
                           to_columns = d_columns.read();
  return {{"dots", {found.begin(), found.end()}, 0, 4e-6},
          {"errors of dots", {sizes.begin(), sizes.end()}, 4e-6},
          {"rows", {to_rows.begin(), to_rows.end()}, 4e-6, 4e-5},
          {"columns", {to_columns.begin(), to_columns.end()}, 4e-6}};
}

Outputs scores_beyond_32_bits() { return far(sparse::scores_forward); }
Outputs gradients_beyond_32_bits() { return far(sparse::scores_backward); }
Outputs rows_beyond_32_bits() { return far(sparse::accumulate_rows); }
Outputs columns_beyond_32_bits() { return far(sparse::accumulate_columns); }
Outputs split_beyond_32_bits() { return far(sparse::split); }
Outputs dots_beyond_32_bits() { return far(sparse::pair_dots); }
Outputs pairs_beyond_32_bits() { return far(sparse::pair_gradients); }

std::string difference(const Outputs& got, const Outputs& want) {
  std::string where;
  double worst = 1;  // in tolerances
  for (size_t o = 0; o < want.size(); ++o)
    for (size_t i = 0; i < want[o].values.size(); ++i) {
      const double a = got[o].values.at(i), b = want[o].values[i];
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;
      const double ratio = std::fabs(a - b) / (want[o].absolute + want[o].relative * std::fabs(b));
      if (ratio <= worst) continue;
      worst = std::isnan(ratio) ? HUGE_VAL : ratio;
      where =
          want[o].name + " [" + std::to_string(i) + "]: " + std::to_string(a) + ", not " + std::to_string(b);
    }
  return where;
}

}  // namespace mutation
