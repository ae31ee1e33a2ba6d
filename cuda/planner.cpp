#include "cuda/planner.h"

#include <algorithm>

#include "core/schedule.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/lap_vectors.h"

namespace infcl::cuda {

namespace {

// A block of 4096 x 8192 logits: 64 MiB of G a plane. Twice the rows would save less than a twentieth of the
// traffic, and costs the caller's memory.
constexpr int64_t kMostLogits = int64_t{32} << 20;
constexpr int64_t kStagingBytes = int64_t{8} << 20;
// What the driver and other users of the device may still take after we looked.
constexpr int64_t kReserve = int64_t{64} << 20;

int64_t pad(int64_t n) { return round_up(n, kTile); }

// The block's own buffers. Forward and backward laps alternate, but are not worth sharing memory: partials
// are an eighth of two planes of G.
struct BlockBytes {
  int64_t g_plane, row_partials, column_partials, tile_sums;
  int64_t total(int planes) const { return planes * g_plane + row_partials + column_partials + tile_sums; }
};

BlockBytes block_bytes(BlockSize b, bool gradient) {
  const int64_t row_tiles = b.rows / kTile, column_tiles = b.columns / kTile;
  return {gradient ? b.rows * b.columns * static_cast<int64_t>(sizeof(uint16_t)) : 0,
          column_tiles * b.rows * static_cast<int64_t>(sizeof(Partial)),
          row_tiles * b.columns * static_cast<int64_t>(sizeof(Partial)),
          row_tiles * column_tiles * static_cast<int64_t>(sizeof(TileSums))};
}

BlockGrid make_grid(const PassShape& p, BlockSize largest) {
  // Equal shares: a last block of a few rows would leave the device idle.
  const auto share = [](int64_t count, int64_t most) { return pad(ceil_div(count, ceil_div(count, most))); };
  if (!p.triangle)
    return {p.rows, p.columns, share(p.rows, largest.rows), share(p.columns, largest.columns), false};
  const int64_t side = share(p.rows, std::min(largest.rows, largest.columns));
  return {p.rows, p.columns, side, side, true};
}

BlockBytes largest_block(const std::vector<BlockGrid>& grids, bool gradient) {
  BlockBytes most{};
  for (const BlockGrid& g : grids) {
    const BlockBytes b = block_bytes({g.block_rows, g.block_columns}, gradient);
    most.g_plane = std::max(most.g_plane, b.g_plane);
    most.row_partials = std::max(most.row_partials, b.row_partials);
    most.column_partials = std::max(most.column_partials, b.column_partials);
    most.tile_sums = std::max(most.tile_sums, b.tile_sums);
  }
  return most;
}

std::vector<BlockGrid> make_grids(const WorkspaceRequest& r, BlockSize largest) {
  std::vector<BlockGrid> grids;
  for (const PassShape& p : r.passes) grids.push_back(make_grid(p, largest));
  return grids;
}

// Of all launches of a call. `scores` has a tile of work per tile of logits, once or twice; `accumulate` one
// per tile of the gradients, as long as the block is wide or high.
double efficiency(const WorkspaceRequest& r, const std::vector<BlockGrid>& grids, int multiprocessors) {
  const int64_t dim_tiles = ceil_div(r.dim, kTile);
  double useful = 0, spent = 0;
  const auto add = [&](double work, int64_t tiles) {
    useful += work;
    spent += work / wave_efficiency(tiles, multiprocessors);
  };
  for (const BlockGrid& g : grids) {
    const int64_t row_tiles = g.block_rows / kTile, column_tiles = g.block_columns / kTile;
    const double pairs = g.pairs();
    add(r.gradient ? 2 * pairs : pairs, row_tiles * column_tiles);
    if (r.gradient) add(2 * pairs, (row_tiles + column_tiles) * dim_tiles);
  }
  return spent > 0 ? useful / spent : 1;
}

// The block on whose traffic depends least: the largest, unless a smaller one keeps the device busier.
BlockSize choose_block(const WorkspaceRequest& r, const DeviceLimits& device, int64_t budget) {
  BlockSize best{kTile, kTile};
  double best_score = 0;
  for (int64_t rows = kTile; rows <= kMaxBlockSide; rows *= 2)
    for (int64_t columns = kTile; columns <= kMaxBlockSide && rows * columns <= kMostLogits; columns *= 2) {
      const std::vector<BlockGrid> grids = make_grids(r, {rows, columns});
      if (largest_block(grids, r.gradient).total(r.planes) > budget) continue;
      // features and gradients that a block's visit moves, per logit, against a block of 1024 x 1024
      const double traffic = 512. * (1. / static_cast<double>(rows) + 1. / static_cast<double>(columns));
      const double score = efficiency(r, grids, device.multiprocessors) / (1 + 0.1 * traffic);
      if (score > best_score) {
        best_score = score;
        best = {rows, columns};
      }
    }
  return best;
}

int64_t fixed_bytes(const WorkspacePlan& p, int planes) {
  int64_t bytes = p.vectors + p.staging + p.not_finite;
  for (const int64_t b : p.plane_bytes) bytes += planes * b;
  for (const int64_t b : p.gradient_bytes) bytes += b;
  return bytes;
}

}  // namespace

int64_t BlockGrid::row_blocks() const { return ceil_div(rows, block_rows); }
int64_t BlockGrid::column_blocks() const { return ceil_div(columns, block_columns); }

int64_t BlockGrid::blocks() const {
  return triangle ? row_blocks() * (row_blocks() + 1) / 2 : row_blocks() * column_blocks();
}

int64_t BlockGrid::tiles() const {
  const int64_t row_tiles = ceil_div(rows, kTile);
  return triangle ? row_tiles * (row_tiles + 1) / 2 : row_tiles * ceil_div(columns, kTile);
}

double BlockGrid::pairs() const {
  const double all = static_cast<double>(rows) * static_cast<double>(columns);
  return triangle ? all / 2 : all;
}

double wave_efficiency(int64_t tiles, int multiprocessors) {
  const int64_t waves = ceil_div(tiles, multiprocessors);
  return static_cast<double>(tiles) / static_cast<double>(waves * multiprocessors);
}

WorkspacePlan plan_workspace(const WorkspaceRequest& r, const DeviceLimits& device) {
  WorkspacePlan p;
  p.padded_dim = round_up(r.dim, kDimAlignment);
  int64_t largest_matrix = 0;
  for (const int64_t rows : r.matrices) {
    p.plane_bytes.push_back(pad(rows) * p.padded_dim * static_cast<int64_t>(sizeof(uint16_t)));
    largest_matrix = std::max(largest_matrix, rows);
  }
  for (const int64_t rows : r.gradients)
    p.gradient_bytes.push_back(pad(rows) * p.padded_dim * static_cast<int64_t>(sizeof(float)));
  for (const PassShape& s : r.passes) p.vectors = std::max(p.vectors, lap_vector_bytes(s, r.gradient));
  p.vectors = std::max(p.vectors, pair_vector_bytes(r.pairs));
  const int64_t row_bytes = r.dim * static_cast<int64_t>(sizeof(float));
  p.staging = std::max(row_bytes, std::min(kStagingBytes / row_bytes, largest_matrix) * row_bytes);

  const int64_t fixed = fixed_bytes(p, r.planes);
  const int64_t device_bound = device.free_bytes - kReserve;
  const int64_t bound = r.bound > 0 ? std::min(r.bound, device_bound) : device_bound;
  const auto spend = [&](BlockSize largest) {
    p.grids = make_grids(r, largest);
    const BlockBytes b = largest_block(p.grids, r.gradient);
    p.g_plane = b.g_plane;
    p.row_partials = b.row_partials;
    p.column_partials = b.column_partials;
    p.tile_sums = b.tile_sums;
    p.total = fixed + b.total(r.planes);
  };
  spend({kTile, kTile});
  p.minimum = p.total;
  spend(choose_block(r, device, bound - fixed));
  return p;
}

}  // namespace infcl::cuda
