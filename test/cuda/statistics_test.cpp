// What the emulator counts while kernels run, held to what their design promises: no bank conflicts in reads
// of the ring, one exponential per logit, no local memory, no more tensor-core work than the products have,
// and on sm_90 a shared operand that two blocks read once.
#include "../native/check.h"
#include "scores_problem.h"
#include "tensor_maps_sm90.h"

using namespace infcl::cuda;
using namespace test;

namespace {

constexpr uint64_t kMmaOfTile = 8 * 16 * 2;  // m16n8k16 of a 128 x 128 tile, per stage of depth 32

uint64_t count(const std::string& key) { return gpu::last_launch(key); }

void check_ring(const char* kernel, uint64_t mma) {
  CHECK(count("mma") == mma, "%s: %llu mma, not %llu", kernel, static_cast<unsigned long long>(count("mma")),
        static_cast<unsigned long long>(mma));
  if (!gpu::on_sm90())
    CHECK(count("ldmatrixPhases") > 0 && count("ldmatrixWaves") == count("ldmatrixPhases"),
          "%s: bank conflicts", kernel);
  CHECK(count("localRequests") == 0, "%s: local memory", kernel);
}

// Of sm_90: tiles of operands that a launch copies, for each step of depth 64.
void check_copies(const char* kernel, uint64_t tiles) {
  if (!gpu::on_sm90()) return;
  const uint64_t bytes = tiles * kBoxesOfTile * kBoxBytes;
  CHECK(count("copiedBytes") == bytes, "%s: %llu bytes copied, not %llu", kernel,
        static_cast<unsigned long long>(count("copiedBytes")), static_cast<unsigned long long>(bytes));
}

// Two tiles of rows are neighbours and share that of columns; a third is alone.
ScoresCase whole_tiles(int rows) {
  ScoresCase c{};
  c.name = "whole tiles";
  c.rows = rows;
  c.columns = 128;
  c.dim = 192;
  c.scale = 10;
  c.labels = Labels::kOwnIndex;
  return c;
}

void check_scores(Precision precision, int row_tiles) {
  const ScoresCase c = whole_tiles(row_tiles * kTile);
  const ScoresProblem p(c, precision);
  const uint64_t tiles = static_cast<uint64_t>(row_tiles),
                 segments = precision == Precision::kBFloat16x3 ? 3 : 1;
  const uint64_t stages = 192 / kDepth * segments, copies = 192 / kBox * segments * (tiles + (tiles + 1) / 2);
  const uint64_t logits = tiles * kTile * kTile;
  const size_t rows = static_cast<size_t>(c.rows), columns = static_cast<size_t>(c.columns);
  gpu::Array<Partial> row_partials(rows, Partial{}), column_partials(tiles * columns, Partial{});
  gpu::Array<float> floats(rows, 1.f), positive_dots(rows, 0.f);
  gpu::Array<TileSums> tile_sums(tiles, TileSums{});
  ForwardArgs f{p.args(), row_partials.get(), column_partials.get(), positive_dots.get(), tile_sums.get()};
  gpu::launch(p.kernel("scores_forward"), scores_shape(f.scores), f);
  check_ring("scores_forward", tiles * stages * kMmaOfTile);
  check_copies("scores_forward", copies);
  CHECK(count("ex2") == logits, "forward: %llu exponentials of %llu logits",
        static_cast<unsigned long long>(count("ex2")), static_cast<unsigned long long>(logits));

  gpu::Array<double> grads(rows, 0.);
  gpu::Array<uint16_t> high(rows * columns, 0), low(rows * columns, 0);
  BackwardArgs b{};
  b.scores = p.args();
  b.row_factors = b.row_shifts = b.column_factors = b.column_shifts = b.positive_dots = floats.get();
  b.positive_grads = grads.get();
  b.g_scale = 1;
  b.g_high = high.get();
  b.g_low = low.get();
  b.g_stride = c.columns;
  b.tile_sums = tile_sums.get();
  gpu::launch(p.kernel("scores_backward"), scores_shape(b.scores), b);
  check_ring("scores_backward", tiles * stages * kMmaOfTile);
  check_copies("scores_backward", copies);
  CHECK(count("ex2") == logits, "backward: %llu exponentials of %llu logits",
        static_cast<unsigned long long>(count("ex2")), static_cast<unsigned long long>(logits));
}

// 192 features: a whole tile and half a one, of which half the warps have nothing to do. On sm_90 every warp
// has all columns of its rows, zeros too, and the two tiles are neighbours who share that of G.
void check_accumulate(Precision precision) {
  const int rows = 128, columns = 256, dim = 192;
  const Matrix zeros(precision, columns, columns);
  const DeviceMatrix g(zeros), features(zeros);
  gpu::Array<float> out(static_cast<size_t>(columns) * dim, 0.f);
  AccumulateArgs a{};
  a.g_high = g.planes().high;
  a.g_low = g.planes().low;
  a.g_stride = columns;
  a.row_count = rows;
  a.column_count = columns;
  a.padded_dim = dim;
  a.inverse_g_scale = 1;
  const std::string kernel = std::string("accumulate_") + test::name(precision) + "_kernel";
  const uint64_t segments = precision == Precision::kBFloat16x3 ? 3 : 1;
  for (bool of_rows : {true, false}) {
    const GradientProduct product{features.planes(), out.get(), of_rows ? rows : columns, true};
    a.rows = of_rows ? product : GradientProduct{};
    a.columns = of_rows ? GradientProduct{} : product;
    gpu::launch(kernel, accumulate_shape(a), a);
    const uint64_t stages = static_cast<uint64_t>(of_rows ? columns : 2 * rows) / kDepth * segments;
    check_ring(kernel.c_str(), stages * kMmaOfTile * (gpu::on_sm90() ? 4 : 3) / 2);
    check_copies(kernel.c_str(), stages / 2 * 3);
  }
}

}  // namespace

int main() {
  if (!gpu::available() || !gpu::counts()) return 77;  // ctest: skipped
  for (Precision precision : kPrecisions) {
    for (int row_tiles : {1, 2, 3}) check_scores(precision, row_tiles);
    check_accumulate(precision);
  }
  return check::summary();
}
