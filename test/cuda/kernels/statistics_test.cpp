// What the emulator counts while kernels run, held to what their design promises: no bank conflicts in the
// ring and few elsewhere, memory moved in whole sectors, one exponential per logit, no local memory, no more
// tensor-core work than the products have, and on sm_90 a shared operand that two blocks read once.
#include "../../native/check.h"
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

// sm_90 only: tiles of operands that a launch copies, for each step of depth 64.
void check_copies(const char* kernel, uint64_t tiles) {
  if (!gpu::on_sm90()) return;
  const uint64_t bytes = tiles * kBoxesOfTile * kBoxBytes;
  CHECK(count("copiedBytes") == bytes, "%s: %llu bytes copied, not %llu", kernel,
        static_cast<unsigned long long>(count("copiedBytes")), static_cast<unsigned long long>(bytes));
}

// Requests of 16 bytes a lane take four waves, all others one: but for few, which the epilogues' sums cost.
void check_waves(const char* kernel, uint64_t wide_requests) {
  const uint64_t requests = count("sharedRequests"), waves = count("sharedWaves");
  CHECK(requests >= wide_requests && 2 * waves <= 8 * wide_requests + 3 * (requests - wide_requests),
        "%s: %llu waves of %llu requests", kernel, static_cast<unsigned long long>(waves),
        static_cast<unsigned long long>(requests));
}

// `sectors`: of 32 bytes, each once, as copies of operands and results come to; the rest is a few per block.
void check_sectors(const char* kernel, uint64_t sectors, uint64_t blocks) {
  CHECK(count("globalSectors") >= sectors && count("globalSectors") <= sectors + 120 * blocks,
        "%s: %llu sectors, not %llu", kernel, static_cast<unsigned long long>(count("globalSectors")),
        static_cast<unsigned long long>(sectors));
}

constexpr uint64_t kSectorBytes = 32;
constexpr uint64_t kOperandSectors = kTile * kDepth * sizeof(uint16_t) / kSectorBytes;  // of a stage
// By cp.async, 16 bytes a lane; the tensor memory accelerator's are no requests.
uint64_t ring_requests(uint64_t operands) {
  return gpu::on_sm90() ? 0 : operands * kTile * kDepth * sizeof(uint16_t) / (32 * 16);
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
                 products = precision == Precision::kTwoPlanes ? 3 : 1;
  const uint64_t stages = 192 / kDepth * products, copies = 192 / kBox * products * (tiles + (tiles + 1) / 2);
  const uint64_t operands = gpu::on_sm90() ? 2 * copies : 2 * tiles * stages;  // tiles of depth 32
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
  check_waves("scores_forward", ring_requests(2 * tiles * stages));
  // a partial of 32 bytes is written in two
  check_sectors("scores_forward", operands * kOperandSectors + 2 * (rows + tiles * columns), tiles);

  gpu::Array<double> grads(rows, 0.);
  gpu::Array<uint16_t> high(rows * columns, 0), low(rows * columns, 0);
  BackwardArgs b{};
  b.scores = p.args();
  b.row_factors = b.row_shifts = b.column_factors = b.column_shifts = b.positive_dots = floats.get();
  b.positive_grads = grads.get();
  b.largest_spread = infcl::kLargestSpread;
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
  const uint64_t planes = precision == Precision::kTwoPlanes ? 2 : 1, g_bytes = 2 * planes * logits;
  check_waves("scores_backward", ring_requests(2 * tiles * stages) + g_bytes / (32 * 16));
  check_sectors("scores_backward", operands * kOperandSectors + g_bytes / kSectorBytes, tiles);
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
  const uint64_t products = precision == Precision::kTwoPlanes ? 3 : 1;
  for (bool of_rows : {true, false}) {
    const GradientProduct product{features.planes(), out.get(), of_rows ? rows : columns, true};
    a.rows = of_rows ? product : GradientProduct{};
    a.columns = of_rows ? GradientProduct{} : product;
    gpu::launch(kernel, accumulate_shape(a), a);
    const uint64_t stages = static_cast<uint64_t>(of_rows ? columns : 2 * rows) / kDepth * products;
    check_ring(kernel.c_str(), stages * kMmaOfTile * (gpu::on_sm90() ? 4 : 3) / 2);
    check_copies(kernel.c_str(), stages / 2 * 3);
    check_waves(kernel.c_str(), count("sharedRequests"));
    // Per stage and tile of features a tile of G and one of features, of which half of the second's is not
    // read (sm_90 counts what it fills with zeros, but reads G once). Two tiles of columns have a gradient,
    // one of rows.
    const uint64_t operands = stages * (gpu::on_sm90() ? 6 : 7) * kOperandSectors / 2;
    check_sectors(kernel.c_str(), operands + static_cast<uint64_t>(product.count) * dim * 4 / kSectorBytes,
                  2);
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
