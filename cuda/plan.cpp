#include "cuda/plan.h"

#include <algorithm>

#include "core/grid.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/pass_vectors.h"

namespace infcl::cuda {

namespace {

// A block of 4096 x 8192 logits: 64 MiB of G a plane. Twice the rows would save less than a twentieth of the
// traffic, and costs the caller's memory.
constexpr int64_t kMostLogits = int64_t{32} << 20;
constexpr int64_t kModestBlock = 1024;  // rows and columns
constexpr int64_t kStagingBytes = int64_t{8} << 20;
constexpr int64_t kLeastStagingBytes = int64_t{64} << 10;  // where memory is scarce
// What the driver and other users of the device may still take after we looked.
constexpr int64_t kReserve = int64_t{64} << 20;
// One slab of a visit passes by while the next comes.
constexpr int64_t kPassingSlots = 2, kLeastSlots = kPassingSlots + 1;
constexpr int64_t kSlots = 16;             // where there is plenty of memory: most of them hold
constexpr int64_t kScarceSlots = 6;        // where there is not
constexpr int64_t kEnoughSlabRows = 4096;  // for blocks of good size
// Of the longest matrix. A pass lists its visits beforehand, one of 40 bytes for each pair of slabs; slabs
// of a few rows would make a list without end.
constexpr int64_t kMostSlabs = 1024;

int64_t pad(int64_t n) { return round_up(n, kTile); }

// Equal shares, in tiles: a last one of a few rows would leave the device idle.
int64_t equal_share(int64_t count, int64_t most) { return pad(ceil_div(count, ceil_div(count, most))); }

// The block's own buffers. Forward and backward passes alternate, but are not worth sharing memory: partials
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
  for (const SimilarityShape& p : r.similarities) grids.push_back(make_grid(p, largest));
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
  for (int64_t rows = kTile; rows <= kMaxMacroBlockSide; rows *= 2)
    for (int64_t columns = kTile; columns <= kMaxMacroBlockSide && rows * columns <= kMostLogits;
         columns *= 2) {
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

// What a block gets of the plan.
void set_block(WorkspacePlan& p, const std::vector<SimilarityShape>& similarities, BlockSize largest,
               const BlockBytes& b) {
  p.block = largest;
  p.grids.clear();
  for (const SimilarityShape& similarity : similarities) p.grids.push_back(make_grid(similarity, largest));
  p.g_plane = b.g_plane;
  p.row_partials = b.row_partials;
  p.column_partials = b.column_partials;
  p.tile_sums = b.tile_sums;
}

int64_t bytes_of(const WorkspacePlan& p) {
  int64_t bytes = p.vectors + p.staging + p.findings + p.slots * (p.planes * p.slot_plane + p.slot_sums);
  for (const int64_t b : p.plane_bytes) bytes += p.planes * b;
  for (const int64_t b : p.gradient_bytes) bytes += b;
  return bytes + p.planes * p.g_plane + p.row_partials + p.column_partials + p.tile_sums;
}

// Everything that depends on neither blocks nor slabs.
WorkspacePlan plan_fixed(const WorkspaceRequest& r) {
  WorkspacePlan p;
  p.padded_dim = round_up(r.dim, kDimAlignment);
  p.planes = r.planes;
  for (const SimilarityShape& s : r.similarities)
    p.vectors = std::max(p.vectors, pass_vector_bytes(s, r.gradient));
  p.vectors = std::max(p.vectors, pair_vector_bytes(r.pairs));
  return p;
}

int64_t largest_matrix(const WorkspaceRequest& r) {
  return r.matrices.empty() ? 0 : *std::max_element(r.matrices.begin(), r.matrices.end());
}

// Whole rows of float32, as many as fit `most`.
int64_t staging_bytes(const WorkspaceRequest& r, int64_t most, int64_t rows) {
  const int64_t row_bytes = r.dim * static_cast<int64_t>(sizeof(float));
  return std::max(row_bytes, std::min(most / row_bytes, rows) * row_bytes);
}

WorkspacePlan plan_resident(const WorkspaceRequest& r, const DeviceLimits& device, int64_t bound) {
  WorkspacePlan p = plan_fixed(r);
  for (const int64_t rows : r.matrices)
    p.plane_bytes.push_back(pad(rows) * p.padded_dim * static_cast<int64_t>(sizeof(uint16_t)));
  for (const int64_t rows : r.gradients)
    p.gradient_bytes.push_back(pad(rows) * p.padded_dim * static_cast<int64_t>(sizeof(float)));
  p.staging = staging_bytes(r, kStagingBytes, largest_matrix(r));
  const int64_t fixed = bytes_of(p);
  const auto least = largest_block(make_grids(r, {kTile, kTile}), r.gradient);
  p.resident_minimum = fixed + least.total(r.planes);
  const BlockSize block = choose_block(r, device, bound - fixed);
  set_block(p, r.similarities, block, largest_block(make_grids(r, block), r.gradient));
  p.total = bytes_of(p);
  return p;
}

// Room for blocks so small that the device idles, which slabs are better than. A caller who gives a bound is
// taken at their word.
bool is_cramped(const WorkspaceRequest& r, const WorkspacePlan& resident, int64_t bound) {
  const auto block = [&](int64_t side) {
    return largest_block(make_grids(r, {side, side}), r.gradient).total(r.planes);
  };
  return resident.resident_minimum - block(kTile) + block(kModestBlock) > bound;
}

// Rows of a slab: a sixteenth of the memory where that is plenty, smaller where it is not, but large enough
// for blocks of good size while a handful of slabs fits.
int64_t choose_slab_rows(const WorkspaceRequest& r, int64_t row_bytes, int64_t budget) {
  const int64_t for_slots =
      std::min(budget / 4 * 3, budget - block_bytes({kTile, kTile}, r.gradient).total(r.planes));
  int64_t rows = for_slots / kSlots / row_bytes;
  if (rows < kEnoughSlabRows) rows = std::min(kEnoughSlabRows, for_slots / kScarceSlots / row_bytes);
  const int64_t longest = largest_matrix(r), least = pad(ceil_div(longest, kMostSlabs));
  return equal_share(longest, std::clamp(rows / kTile * kTile, least, pad(longest)));
}

// The block gets a quarter of `bound` at most, and slots what it leaves: the more of them, the more is held.
WorkspacePlan plan_slabs(const WorkspaceRequest& r, const DeviceLimits& device, int64_t bound) {
  WorkspacePlan p = plan_fixed(r);
  const int64_t sum_bytes = r.gradient ? static_cast<int64_t>(sizeof(float)) : 0,
                plane_bytes = static_cast<int64_t>(sizeof(uint16_t)),
                row_bytes = p.padded_dim * (r.planes * plane_bytes + sum_bytes);
  p.staging = staging_bytes(r, std::clamp(bound / kSlots / 4, kLeastStagingBytes, kStagingBytes),
                            pad(largest_matrix(r)));
  const int64_t budget = bound - bytes_of(p);
  p.slabs.rows = choose_slab_rows(r, row_bytes, budget);
  p.slot_plane = p.slabs.rows * p.padded_dim * plane_bytes;
  p.slot_sums = p.slabs.rows * p.padded_dim * sum_bytes;
  const int64_t slot_bytes = p.slabs.rows * row_bytes;

  WorkspaceRequest visit = r;
  visit.similarities = {{p.slabs.rows, p.slabs.rows, false}};
  const BlockSize block =
      choose_block(visit, device, std::min(budget / 4, budget - kLeastSlots * slot_bytes));
  const BlockGrid grid = make_grid(visit.similarities[0], block);  // no visit of fewer rows has larger ones
  const BlockBytes bytes = block_bytes({grid.block_rows, grid.block_columns}, r.gradient);
  set_block(p, r.similarities, {grid.block_rows, grid.block_columns}, bytes);

  p.slab_count = ceil_div(largest_matrix(r), p.slabs.rows);
  int64_t slabs = 0;
  for (const int64_t rows : r.matrices) slabs += ceil_div(rows, p.slabs.rows);
  p.slots = std::max(kLeastSlots, std::min(slabs, (budget - bytes.total(r.planes)) / slot_bytes));
  p.slabs.held = p.slots - kPassingSlots;
  p.total = bytes_of(p);
  return p;
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

BlockGrid make_grid(const SimilarityShape& p, BlockSize largest) {
  if (!p.triangle)
    return {p.rows, p.columns, equal_share(p.rows, largest.rows), equal_share(p.columns, largest.columns),
            false};
  const int64_t side = equal_share(p.rows, std::min(largest.rows, largest.columns));
  return {p.rows, p.columns, side, side, true};
}

int64_t count_blocks(const SimilarityShape& similarity, const WorkspacePlan& plan) {
  int64_t blocks = 0;
  for (const SlabVisit& v : slab_visits(similarity, plan.slabs, HeldSide::kRows))
    blocks += make_grid({v.rows.size(), v.columns.size(), v.triangle}, plan.block).blocks();
  return blocks;
}

WorkspacePlan plan_workspace(const WorkspaceRequest& r, const DeviceLimits& device) {
  const int64_t available = device.free_bytes - std::min(kReserve, device.free_bytes / 8);
  const int64_t bound = r.bound > 0 ? std::min(r.bound, available) : available;
  const WorkspacePlan resident = plan_resident(r, device, bound), least = plan_slabs(r, device, 0);
  WorkspacePlan chosen = resident;
  if (resident.total > bound || (r.bound == 0 && is_cramped(r, resident, bound))) {
    const WorkspacePlan slabs = plan_slabs(r, device, bound);
    if (slabs.total <= bound)
      chosen = slabs;
    else if (least.total < resident.total && resident.total > bound)
      chosen = least;
  }
  chosen.minimum = std::min(least.total, resident.resident_minimum);
  chosen.resident_minimum = resident.resident_minimum;
  return chosen;
}

}  // namespace infcl::cuda
