// Both gradient products of a block against dense loops, over arbitrary G, and without tiles left out.
#include "../../native/check.h"
#include "dot_bound.h"

using namespace infcl::cuda;
using namespace test;

namespace {

struct Case {
  int rows, columns, dim;
  bool triangle = false, overwrite = false;
  bool without_rows = false, without_columns = false;
  int fewer_columns = 0;  // that have no gradient
  bool skips = false;     // about half of the tiles
};

constexpr double kScale = 0.25;  // inverse of g's

// What the backward pass said of each tile; nothing of those that a triangle does not have.
std::vector<TileSums> random_tiles(const Case& c, Random& random) {
  std::vector<TileSums> tiles;
  for (int i = 0; i < tiles_of(c.rows); ++i)
    for (int j = 0; j < tiles_of(c.columns); ++j)
      tiles.push_back(c.triangle && j < i ? gpu::poison<TileSums>()
                                          : TileSums{0, 0, 0, static_cast<int64_t>(random() % 2)});
  return tiles;
}
bool is_skipped(const Case& c, const std::vector<TileSums>& tiles, int i, int j) {
  return c.skips && tiles[static_cast<size_t>(i / kTile * tiles_of(c.columns) + j / kTile)].skipped;
}

Matrix random_g(const Case& c, Precision p, const std::vector<TileSums>& tiles, Random& random) {
  Matrix g(p, padded(c.rows), padded(c.columns));
  std::normal_distribution<double> normal;
  for (int i = 0; i < padded(c.rows); ++i)
    for (int j = 0; j < padded(c.columns); ++j) {
      if ((c.triangle && j / kTile < i / kTile) || is_skipped(c, tiles, i, j)) {
        g.high[g.index(i, j)] = g.low[g.index(i, j)] = 0xffff;  // NaN: must not be read
      } else {
        g.set(i, j, i < c.rows && j < c.columns ? normal(random) : 0);
      }
    }
  return g;
}

// One of the products: where it starts, what it adds to, and what comes out.
struct Product {
  const Matrix& features;
  bool of_rows;
  int count;
  gpu::Array<float> out;

  Product(const Matrix& f, bool rows, int valid, bool wanted)
      : features(f),
        of_rows(rows),
        count(valid),
        out(wanted ? static_cast<size_t>(padded(valid)) * f.stride : 0, 3.f) {}
  GradientProduct args(const DeviceMatrix& device, bool overwrite) const {
    return {device.planes(), out.get(), count, overwrite};
  }
};

void check_product(const Case& c, const Matrix& g, const std::vector<TileSums>& tiles, const Product& p,
                   const char* what) {
  if (!p.out.get()) return;
  const std::vector<float> got = p.out.read();
  const int stride = p.features.stride, terms = p.of_rows ? c.columns : c.rows;
  for (int i = 0; i < padded(p.count); ++i)
    for (int d = 0; d < stride; ++d) {
      const double before = c.overwrite && i < p.count ? 0 : 3;
      double want = before;
      std::vector<std::pair<PlanePair, PlanePair>> factors;
      for (int k = 0; i < p.count && k < terms; ++k) {
        const int row = p.of_rows ? i : k, column = p.of_rows ? k : i;
        if (c.triangle && column / kTile < row / kTile) continue;
        if (is_skipped(c, tiles, row, column)) continue;
        want += kScale * g.get(row, column) * p.features.get(k, d);
        factors.emplace_back(g.planes(row, column), p.features.planes(k, d));
      }
      const double value = got[static_cast<size_t>(i) * stride + d];
      const double error =
          0x1p-23 * (before + std::fabs(want)) +  // rounded when it is scaled, and when it is added
          kScale *
              dot_error(g.precision, static_cast<int>(factors.size()), [&](int k) { return factors[k]; });
      CHECK(std::fabs(value - want) <= error, "%d x %d x %d %s %s[%d][%d]: %.9g, not %.9g (+- %.3g)", c.rows,
            c.columns, c.dim, test::name(g.precision), what, i, d, value, want, error);
    }
}

void check_case(const Case& c, Precision precision) {
  Random random(static_cast<unsigned>(c.rows * 31 + c.columns * 17 + c.dim));
  const Matrix rows = random_features(precision, c.rows, c.dim, false, random);
  const Matrix columns = c.triangle ? rows : random_features(precision, c.columns, c.dim, false, random);
  const std::vector<TileSums> tiles = random_tiles(c, random);
  const gpu::Array<TileSums> device_tiles(tiles);
  const Matrix g = random_g(c, precision, tiles, random);
  const DeviceMatrix device_rows(rows), device_columns(columns), device_g(g);
  const Product of_rows(columns, true, c.rows, !c.without_rows);
  const Product of_columns(rows, false, c.columns - c.fewer_columns, !c.without_columns);
  AccumulateArgs a{};
  a.g_high = device_g.planes().high;
  a.g_low = device_g.planes().low;
  a.g_stride = g.stride;
  a.row_count = c.rows;
  a.column_count = c.columns;
  a.padded_dim = rows.stride;
  a.inverse_g_scale = static_cast<float>(kScale);
  a.triangle = c.triangle;
  a.rows = of_rows.args(device_columns, c.overwrite);
  a.columns = of_columns.args(device_rows, c.overwrite);
  if (c.skips) {  // which has no form of its own on sm_90
    a.tile_sums = device_tiles.get();
    gpu::launch_raw(std::string("accumulate_skipping_") + test::name(precision) + "_kernel",
                    accumulate_shape(a), {&a});
  } else {
    gpu::launch(std::string("accumulate_") + test::name(precision) + "_kernel", accumulate_shape(a), a);
  }
  check_product(c, g, tiles, of_rows, "rows");
  check_product(c, g, tiles, of_columns, "columns");
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (int rows : {1, 127, 128, 129, 300}) all.push_back({rows, 200, 64});
  for (int columns : {1, 31, 33, 128, 129, 300}) all.push_back({130, columns, 65, false, true});
  // from 193 features on, the second block of a cluster multiplies two boxes of features
  for (int dim : {1, 128, 200, 300}) all.push_back({140, 150, dim});
  for (int size : {1, 128, 129, 300}) all.push_back({size, size, 96, true, size % 2 == 1});
  all.push_back({300, 300, 64, true, false, true});
  all.push_back({300, 300, 64, true, true, false, true});
  all.push_back({150, 160, 64, false, true, true});
  all.push_back({150, 160, 64, false, true, false, true});
  all.push_back({150, 300, 64, false, false, false, false, 150});
  for (const auto& [rows, columns] : {std::pair(1, 1), {130, 900}, {900, 130}, {260, 300}})
    for (bool overwrite : {false, true})
      all.push_back({rows, columns, 72, false, overwrite, false, false, 0, true});
  all.push_back({800, 800, 64, true, true, false, false, 0, true});
  all.push_back({600, 600, 64, true, false, false, false, 0, true});
  all.push_back({130, 8192, 8, false, true, false, true, 0, true});  // as many tiles as a block can have
  return all;
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  for (const Case& c : cases())
    for (Precision precision : kPrecisions) check_case(c, precision);
  return check::summary();
}
