// float32 features take three products of bfloat16 planes, and the small ones must be added first. A sum near
// one drops terms below its last place, and a tensor core drops them always downwards; among themselves small
// terms lose nothing. Numbers are chosen such that the right order gives an exact sum, on any device.
#include "../../native/check.h"
#include "operand.h"

using namespace infcl::cuda;
using namespace test;

namespace {

constexpr int kTerms = kTile;
constexpr double kSmallSum = 14 * 0x1p-23;  // of the products with a low plane, 112 times 2^-26
constexpr double kWanted = 1 + kSmallSum;

// Term k of either factor. The high parts' products are 1 at k = 0, nothing up to 15, and cancel beyond; each
// product with a low part is half of what a sum of 1 would round away, or less.
struct Factor {
  double high, low;
};
Factor left(int k) {
  if (k == 0) return {1, 0};
  if (k < 16) return {0, 0};
  const double sign = k % 2 ? -1 : 1;
  return k < 64 ? Factor{sign * 0x1p-16, 0x1p-25} : Factor{0.5, 0};
}
Factor right(int k) {
  if (k == 0) return {1, 0};
  if (k < 16) return {0, 0};
  const double sign = k % 2 ? -1 : 1;
  return k < 64 ? Factor{0.5, 0} : Factor{sign * 0x1p-16, 0x1p-25};
}

enum class Along { kRows, kColumns };

// A tile whose rows, or columns, are all the terms of a factor.
Matrix repeat(Factor (*factor)(int), Along along, int columns) {
  Matrix m(Precision::kTwoPlanes, kTile, columns);
  for (int i = 0; i < kTile; ++i)
    for (int j = 0; j < columns; ++j) {
      const Factor f = factor(along == Along::kRows ? j : i);
      m.high[m.index(i, j)] = half::to_bfloat16(static_cast<float>(f.high));
      m.low[m.index(i, j)] = half::to_bfloat16(static_cast<float>(f.low));
      CHECK(m.is_split(i, j) && m.get(i, j) == f.high + f.low, "%g + %g are no two planes", f.high, f.low);
    }
  return m;
}

void check_sums(const char* what, const std::vector<float>& got) {
  CHECK(!got.empty(), "%s: nothing", what);
  for (size_t i = 0; i < got.size(); ++i)
    CHECK(got[i] == kWanted, "%s [%zu]: 1 + %g units of 2^-23, not 14", what, i,
          (static_cast<double>(got[i]) - 1) * 0x1p23);
}

void check_dots() {
  const DeviceMatrix rows(repeat(left, Along::kRows, kTerms)), columns(repeat(right, Along::kRows, kTerms));
  gpu::Array<Partial> row_partials(kTile, Partial{}), column_partials(kTile, Partial{});
  gpu::Array<float> positive_dots(kTile, 0.f);
  gpu::Array<TileSums> tile_sums(1, TileSums{});
  ForwardArgs f{};
  f.scores.rows = rows.planes();
  f.scores.columns = columns.planes();
  f.scores.padded_dim = kTerms;
  f.scores.row_count = f.scores.column_count = kTile;
  f.scores.scale_high = 1;
  f.scores.mask.labelled = true;
  f.row_partials = row_partials.get();
  f.column_partials = column_partials.get();
  f.positive_dots = positive_dots.get();
  f.tile_sums = tile_sums.get();
  for (const char* kernel :
       {"scores_forward_plain_two_planes_kernel", "scores_forward_general_two_planes_kernel"}) {
    gpu::launch(kernel, scores_shape(f.scores), f);
    check_sums(kernel, positive_dots.read());
  }
}

// Rows: G times the columns' features. Columns: the transpose of G times the rows'.
void check_gradients(bool of_rows, bool skips) {
  const DeviceMatrix g(repeat(left, of_rows ? Along::kRows : Along::kColumns, kTerms)),
      features(repeat(right, Along::kColumns, kDimAlignment));
  gpu::Array<float> out(size_t{kTile} * kDimAlignment, gpu::poison<float>());
  const gpu::Array<TileSums> tile_sums(1, TileSums{});
  AccumulateArgs a{};
  a.g_high = g.planes().high;
  a.g_low = g.planes().low;
  a.g_stride = kTerms;
  a.row_count = a.column_count = kTile;
  a.padded_dim = kDimAlignment;
  a.inverse_g_scale = 1;
  a.tile_sums = tile_sums.get();
  GradientProduct& product = of_rows ? a.rows : a.columns;
  product = {features.planes(), out.get(), kTile, true};
  if (skips)  // which has no form of its own on sm_90
    gpu::launch_raw("accumulate_skipping_two_planes_kernel", accumulate_shape(a), {&a});
  else
    gpu::launch("accumulate_two_planes_kernel", accumulate_shape(a), a);
  check_sums(of_rows ? "gradient of rows" : "gradient of columns", out.read());
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  check_dots();
  for (const bool of_rows : {true, false})
    for (const bool skips : {true, false}) check_gradients(of_rows, skips);
  return check::summary();
}
