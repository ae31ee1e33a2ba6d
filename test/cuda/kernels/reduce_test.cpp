// reduce and sum_tiles against plain loops: more parts than a thread loads at once, whole batches and not,
// and triangles, of which nothing may be read that was not computed. All sums are of whole numbers, so exact.
#include "../../native/check.h"
#include "gpu.h"
#include "operand.h"

using namespace infcl::cuda;
using test::Random;

namespace {

constexpr int kBatch = 8;  // that a thread loads at once
constexpr int kMostTiles = kMaxMacroBlockSide / kTile;

int number(Random& random, int most) { return static_cast<int>(random() % (most + 1u)); }

bool is_read(int side, int tile, int index) {
  return side < 0 || (side == 0 ? tile >= index / kTile : tile < index / kTile);
}

Partial random_partial(Random& random) {
  return {static_cast<float>(number(random, 20)),
          static_cast<float>(number(random, 9)),
          static_cast<float>(number(random, 999)),
          static_cast<float>(number(random, 999)),
          static_cast<float>(number(random, 9)),
          static_cast<float>(number(random, 9)),
          number(random, 9),
          0};
}

double sum_of(const Gathered& g) { return std::ldexp(g.sum, static_cast<int>(g.shift)); }

void fold(Gathered& all, const Partial& part) {
  all.sum += std::ldexp(part.sum, static_cast<int>(part.shift));  // with a shift of 0
  all.dot_sum += part.dot_sum;
  all.positive_dot_sum += part.positive_dot_sum;
  all.count += part.count;
  all.max_dot = std::fmax(all.max_dot, part.max_dot);
  all.positive_max_dot = std::fmax(all.positive_max_dot, part.positive_max_dot);
}

void check_reduce(int tiles, int side) {
  Random random(static_cast<unsigned>(tiles * 3 + side + 1));
  const int count = side < 0 ? 300 : tiles * kTile - 5, stride = test::padded(count);
  std::vector<Partial> partials;
  for (int tile = 0; tile < tiles; ++tile)
    for (int index = 0; index < stride; ++index) {
      const bool exists = index < count && is_read(side, tile, index);
      partials.push_back(exists ? random_partial(random) : gpu::poison<Partial>());
    }
  const Gathered empty{0, 0, 0, 0, 0, -INFINITY, -INFINITY, 0}, start{5, 6, 7, 8, 0, 9, 10, 0};
  std::vector<Gathered> before;
  for (int i = 0; i < count; ++i) before.push_back(i % 2 ? start : empty);
  const gpu::Array<Partial> device(partials);
  const gpu::Array<Gathered> gathered(before);
  const ReduceArgs a{device.get(), gathered.get(), tiles, count, stride, side};
  gpu::launch("reduce_kernel", reduce_shape(a), a);
  const std::vector<Gathered> got = gathered.read();
  for (int i = 0; i < count; ++i) {
    const size_t at = static_cast<size_t>(i);
    Gathered want = before[at];
    for (int tile = 0; tile < tiles; ++tile)
      if (is_read(side, tile, i)) fold(want, partials[static_cast<size_t>(tile) * stride + at]);
    CHECK(sum_of(got[at]) == want.sum && got[at].dot_sum == want.dot_sum &&
              got[at].positive_dot_sum == want.positive_dot_sum && got[at].count == want.count &&
              got[at].max_dot == want.max_dot && got[at].positive_max_dot == want.positive_max_dot,
          "%d tiles, side %d, index %d: sum %g, not %g; count %lld, not %lld", tiles, side, i,
          sum_of(got[at]), want.sum, static_cast<long long>(got[at].count),
          static_cast<long long>(want.count));
  }
}

void check_sum_tiles(int row_tiles, int column_tiles, bool triangle) {
  Random random(static_cast<unsigned>(row_tiles * 65 + column_tiles));
  std::vector<TileSums> tiles;
  TileSums want{1, 2, 3, 4};
  const gpu::Array<TileSums> total(1, want);
  for (int i = 0; i < row_tiles; ++i)
    for (int j = 0; j < column_tiles; ++j) {
      const TileSums tile{static_cast<double>(number(random, 99)), static_cast<double>(number(random, 99)),
                          number(random, 99), number(random, 1)};
      const bool exists = !triangle || j >= i;
      tiles.push_back(exists ? tile : gpu::poison<TileSums>());
      if (!exists) continue;
      want.dot_sum += tile.dot_sum;
      want.sum += tile.sum;
      want.masked += tile.masked;
      want.skipped += tile.skipped;
    }
  const gpu::Array<TileSums> device(tiles);
  const SumTilesArgs a{device.get(), total.get(), row_tiles, column_tiles, triangle};
  gpu::launch("sum_tiles_kernel", sum_tiles_shape(a), a);
  const TileSums got = total.read()[0];
  CHECK(got.dot_sum == want.dot_sum && got.sum == want.sum && got.masked == want.masked &&
            got.skipped == want.skipped,
        "%d x %d tiles: %g, %g, %lld, %lld, not %g, %g, %lld, %lld", row_tiles, column_tiles, got.dot_sum,
        got.sum, static_cast<long long>(got.masked), static_cast<long long>(got.skipped), want.dot_sum,
        want.sum, static_cast<long long>(want.masked), static_cast<long long>(want.skipped));
}

}  // namespace

int main() {
  if (!gpu::available()) return 77;  // ctest: skipped
  for (const int tiles : {1, kBatch - 1, kBatch, kBatch + 1, 2 * kBatch, 2 * kBatch + 3, kMostTiles})
    check_reduce(tiles, -1);
  for (const int tiles : {1, kBatch + 1, 2 * kBatch + 3})
    for (const int side : {0, 1}) check_reduce(tiles, side);
  for (const auto& [rows, columns] : {std::pair(1, 1), {5, 51}, {16, 16}, {64, 33}, {40, 60}, {64, 64}})
    check_sum_tiles(rows, columns, false);
  for (const int side : {1, 17, 49, kMostTiles}) check_sum_tiles(side, side, true);
  return check::summary();
}
