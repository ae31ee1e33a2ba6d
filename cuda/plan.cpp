#include "cuda/plan.h"

#include <algorithm>

#include "core/grid.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/pass_vectors.h"

namespace infcl::cuda {

namespace {

// A macro-block of 4096 x 8192 scores: 64 MiB of G a plane. Twice the rows would save less than a twentieth
// of the traffic, and cost the caller's memory.
constexpr int64_t kMostScores = int64_t{32} << 20;
constexpr int64_t kModestSide = 1024;  // rows and columns
constexpr int64_t kStagingBytes = int64_t{8} << 20;
constexpr int64_t kLeastStagingBytes = int64_t{64} << 10;  // where memory is scarce
// Room for memory that the driver and other users of the device take after we looked.
constexpr int64_t kReserve = int64_t{64} << 20;
// One slab of a visit passes by while the next comes.
constexpr int64_t kPassingSlots = 2, kLeastSlots = kPassingSlots + 1;
constexpr int64_t kSlots = 16;             // with plenty of memory: most slots keep their slabs
constexpr int64_t kScarceSlots = 6;        // with little memory
constexpr int64_t kEnoughSlabRows = 4096;  // for macro-blocks of good size
// Slabs of the longest matrix. A pass lists its visits beforehand, in 40 bytes for each pair of slabs. Slabs
// of a few rows would make that list too long.
constexpr int64_t kMostSlabs = 1024;

int64_t pad(int64_t n) { return round_up(n, kTile); }

// Equal parts, in whole tiles: a last part of a few rows would leave the device idle.
int64_t equal_part(int64_t count, int64_t most) { return pad(ceil_div(count, ceil_div(count, most))); }

// The buffers of a macro-block. Forward and backward passes could use the same memory, but that would save
// little: partials are an eighth of two planes of G.
struct MacroBlockBytes {
  int64_t g_plane, row_partials, column_partials, tile_sums;
  int64_t total(int planes) const { return planes * g_plane + row_partials + column_partials + tile_sums; }
};

MacroBlockBytes macro_block_bytes(MacroBlockSize b, bool gradient) {
  const int64_t row_tiles = b.rows / kTile, column_tiles = b.columns / kTile;
  return {gradient ? b.rows * b.columns * static_cast<int64_t>(sizeof(uint16_t)) : 0,
          column_tiles * b.rows * static_cast<int64_t>(sizeof(Partial)),
          row_tiles * b.columns * static_cast<int64_t>(sizeof(Partial)),
          row_tiles * column_tiles * static_cast<int64_t>(sizeof(TileSums))};
}

MacroBlockBytes largest_macro_block(const std::vector<Grid>& grids, bool gradient) {
  MacroBlockBytes most{};
  for (const Grid& g : grids) {
    const MacroBlockBytes b = macro_block_bytes(macro_block_of(g), gradient);
    most.g_plane = std::max(most.g_plane, b.g_plane);
    most.row_partials = std::max(most.row_partials, b.row_partials);
    most.column_partials = std::max(most.column_partials, b.column_partials);
    most.tile_sums = std::max(most.tile_sums, b.tile_sums);
  }
  return most;
}

std::vector<Grid> make_grids(const WorkspaceRequest& r, MacroBlockSize largest) {
  std::vector<Grid> grids;
  for (const SimilarityShape& s : r.similarities) grids.push_back(make_grid(s, largest));
  return grids;
}

// Wave efficiency of all launches of a call. `scores` has a thread block per tile of scores, in one pass or
// two. `accumulate` has one per tile of the gradients, whose work grows with the sides of the macro-block.
double efficiency(const WorkspaceRequest& r, const std::vector<Grid>& grids, int multiprocessors) {
  const int64_t dim_tiles = ceil_div(r.dim, kTile);
  double useful = 0, spent = 0;
  const auto add = [&](double work, int64_t tiles) {
    useful += work;
    spent += work / wave_efficiency(tiles, multiprocessors);
  };
  for (size_t i = 0; i < grids.size(); ++i) {
    const MacroBlockSize b = macro_block_of(grids[i]);
    const int64_t row_tiles = b.rows / kTile, column_tiles = b.columns / kTile;
    const double pairs = pair_count(r.similarities[i]);
    add(r.gradient ? 2 * pairs : pairs, row_tiles * column_tiles);
    if (r.gradient) add(2 * pairs, (row_tiles + column_tiles) * dim_tiles);
  }
  return spent > 0 ? useful / spent : 1;
}

// The largest macro-block, unless a smaller one keeps more multiprocessors busy.
MacroBlockSize choose_macro_block(const WorkspaceRequest& r, const DeviceLimits& device, int64_t room) {
  MacroBlockSize best{kTile, kTile};
  double best_score = 0;
  for (int64_t rows = kTile; rows <= kMaxMacroBlockSide; rows *= 2)
    for (int64_t columns = kTile; columns <= kMaxMacroBlockSide && rows * columns <= kMostScores;
         columns *= 2) {
      const std::vector<Grid> grids = make_grids(r, {rows, columns});
      if (largest_macro_block(grids, r.gradient).total(r.planes) > room) continue;
      // Features and gradients that a macro-block's visit moves per score; 1: as one of 1024 x 1024.
      const double traffic = 512. * (1. / static_cast<double>(rows) + 1. / static_cast<double>(columns));
      const double score = efficiency(r, grids, device.multiprocessors) / (1 + 0.1 * traffic);
      if (score > best_score) {
        best_score = score;
        best = {rows, columns};
      }
    }
  return best;
}

// Writes the size of macro-blocks and the bytes of their buffers into the plan.
void set_macro_block(WorkspacePlan& p, const std::vector<SimilarityShape>& similarities,
                     MacroBlockSize largest, const MacroBlockBytes& b) {
  p.macro_block = largest;
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

// Everything that depends on neither macro-blocks nor slabs.
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
  const auto least = largest_macro_block(make_grids(r, {kTile, kTile}), r.gradient);
  p.resident_minimum = fixed + least.total(r.planes);
  const MacroBlockSize block = choose_macro_block(r, device, bound - fixed);
  set_macro_block(p, r.similarities, block, largest_macro_block(make_grids(r, block), r.gradient));
  p.total = bytes_of(p);
  return p;
}

// Whether resident operands leave room only for macro-blocks so small that the device idles. Slabs are then
// better, unless the caller gave a bound: then the caller decides.
bool is_cramped(const WorkspaceRequest& r, const WorkspacePlan& resident, int64_t bound) {
  const auto block = [&](int64_t side) {
    return largest_macro_block(make_grids(r, {side, side}), r.gradient).total(r.planes);
  };
  return resident.resident_minimum - block(kTile) + block(kModestSide) > bound;
}

// Rows of a slab: a sixteenth of the memory where that is plenty. With less memory a slab is smaller, but
// large enough for macro-blocks of good size while a handful of slabs fits.
int64_t choose_slab_rows(const WorkspaceRequest& r, int64_t row_bytes, int64_t room) {
  const int64_t for_slots =
      std::min(room / 4 * 3, room - macro_block_bytes({kTile, kTile}, r.gradient).total(r.planes));
  int64_t rows = for_slots / kSlots / row_bytes;
  if (rows < kEnoughSlabRows) rows = std::min(kEnoughSlabRows, for_slots / kScarceSlots / row_bytes);
  const int64_t longest = largest_matrix(r), least = pad(ceil_div(longest, kMostSlabs));
  return equal_part(longest, std::clamp(rows / kTile * kTile, least, pad(longest)));
}

// A macro-block gets a quarter of the memory at most, and slots get the rest: with more slots, more
// slabs stay.
WorkspacePlan plan_slabs(const WorkspaceRequest& r, const DeviceLimits& device, int64_t bound) {
  WorkspacePlan p = plan_fixed(r);
  const int64_t sum_bytes = r.gradient ? static_cast<int64_t>(sizeof(float)) : 0,
                plane_bytes = static_cast<int64_t>(sizeof(uint16_t)),
                row_bytes = p.padded_dim * (r.planes * plane_bytes + sum_bytes);
  p.staging = staging_bytes(r, std::clamp(bound / kSlots / 4, kLeastStagingBytes, kStagingBytes),
                            pad(largest_matrix(r)));
  const int64_t room = bound - bytes_of(p);
  p.slabs.rows = choose_slab_rows(r, row_bytes, room);
  p.slot_plane = p.slabs.rows * p.padded_dim * plane_bytes;
  p.slot_sums = p.slabs.rows * p.padded_dim * sum_bytes;
  const int64_t slot_bytes = p.slabs.rows * row_bytes;

  WorkspaceRequest visit = r;
  visit.similarities = {{p.slabs.rows, p.slabs.rows, false}};
  const MacroBlockSize block =
      choose_macro_block(visit, device, std::min(room / 4, room - kLeastSlots * slot_bytes));
  // Visits of fewer rows have no larger macro-blocks.
  const MacroBlockSize even = macro_block_of(make_grid(visit.similarities[0], block));
  const MacroBlockBytes bytes = macro_block_bytes(even, r.gradient);
  set_macro_block(p, r.similarities, even, bytes);

  p.slab_count = ceil_div(largest_matrix(r), p.slabs.rows);
  int64_t slabs = 0;
  for (const int64_t rows : r.matrices) slabs += ceil_div(rows, p.slabs.rows);
  p.slots = std::max(kLeastSlots, std::min(slabs, (room - bytes.total(r.planes)) / slot_bytes));
  p.slabs.held = p.slots - kPassingSlots;
  p.total = bytes_of(p);
  return p;
}

}  // namespace

int64_t tile_count(const SimilarityShape& s) {
  const int64_t row_tiles = ceil_div(s.rows, kTile);
  return s.triangle ? row_tiles * (row_tiles + 1) / 2 : row_tiles * ceil_div(s.columns, kTile);
}

double pair_count(const SimilarityShape& s) {
  const double all = static_cast<double>(s.rows) * static_cast<double>(s.columns);
  return s.triangle ? all / 2 : all;
}

double wave_efficiency(int64_t tiles, int multiprocessors) {
  const int64_t waves = ceil_div(tiles, multiprocessors);
  return static_cast<double>(tiles) / static_cast<double>(waves * multiprocessors);
}

Grid make_grid(const SimilarityShape& s, MacroBlockSize largest) {
  if (s.triangle) {
    const Cut side = Cut::into_steps(s.rows, equal_part(s.rows, std::min(largest.rows, largest.columns)));
    return {side, side, true};
  }
  return {Cut::into_steps(s.rows, equal_part(s.rows, largest.rows)),
          Cut::into_steps(s.columns, equal_part(s.columns, largest.columns)), false};
}

MacroBlockSize macro_block_of(const Grid& g) { return {g.row_cut().granule(), g.column_cut().granule()}; }

int64_t count_macro_blocks(const SimilarityShape& similarity, const WorkspacePlan& plan) {
  int64_t count = 0;
  for (const SlabVisit& v : slab_visits(similarity, plan.slabs, HeldSide::kRows))
    count += make_grid({v.rows.size(), v.columns.size(), v.triangle}, plan.macro_block).tiles();
  return count;
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
