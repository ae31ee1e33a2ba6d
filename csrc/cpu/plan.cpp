#include "cpu/plan.h"

#include <algorithm>

#include "core/lse.h"
#include "cpu/tile_order.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

namespace {

constexpr int64_t kFixedBytes = 60ll << 20;
constexpr int kThreadsInFixedBytes = 16;
constexpr int64_t kFloat = sizeof(float);

// Running sums and dots of both sides.
int64_t engine_bytes(int64_t rows, int64_t columns) {
  return LseVector::bytes(rows) + LseVector::bytes(columns) + 2 * rows * kFloat;
}

// A teacher's running sums of both sides, and its dots of the positives.
int64_t teacher_bytes(const std::vector<Grid>& similarities) {
  int64_t most = 0;
  for (const Grid& s : similarities)
    most = std::max(most, 2 * LseVector::bytes(s.row_count() + s.column_count()) + s.row_count() * kFloat);
  return most;
}

int64_t search_thread_bytes(const WorkspacePlan& p) {
  return Workspace::bytes_for(p.search_thread) + Workspace::bytes_for(p.gathered);
}

int64_t thread_bytes(const WorkspacePlan& p) {
  return Workspace::bytes_for(p.tile) + Workspace::bytes_for(p.column_buffer) +
         Workspace::bytes_for(p.narrowed) + Workspace::bytes_for(p.auxiliary_tile) + search_thread_bytes(p);
}

int64_t auxiliary_row_bytes(const WorkspacePlan& p) {
  int64_t bytes = 0;
  for (const int64_t floats : p.auxiliary_rows) bytes += Workspace::bytes_for(floats);
  return bytes;
}

int64_t row_bytes(const WorkspacePlan& p) {
  return Workspace::bytes_for(p.transposed) + Workspace::bytes_for(p.row_values) +
         Workspace::bytes_for(p.search_rows) + auxiliary_row_bytes(p);
}

// What threads and the tile rows that they work on need.
int64_t working_bytes(const WorkspacePlan& p) {
  return p.threads * thread_bytes(p) + p.row_slots * row_bytes(p);
}

// The most that any similarity of the call has.
struct Extents {
  int64_t tiles = 0;  // of all similarities together
  int64_t most_tiles = 0, tile_columns = 0, side = 0;
};

Extents extents_of(const std::vector<Grid>& similarities) {
  Extents e;
  for (const Grid& s : similarities) {
    e.tiles += s.tiles();
    e.most_tiles = std::max(e.most_tiles, s.tiles());
    e.tile_columns = std::max(e.tile_columns, s.tile_columns());
    e.side = std::max({e.side, s.row_count(), s.column_count()});
  }
  return e;
}

// Sizes of a tile's memory for auxiliary similarities, enough for tiles of so many rows and columns.
void size_auxiliaries(WorkspacePlan& p, int64_t rows, int64_t columns, const Kernels& k) {
  for (const Auxiliary each : kEachAuxiliary) {
    const size_t a = static_cast<size_t>(each);
    const int64_t dim = p.auxiliary_dims[a];
    if (dim == 0) continue;
    p.auxiliary_rows[a] = std::max(p.auxiliary_rows[a], rows * k.elements(dim));
    p.auxiliary_panels[a] = std::max(p.auxiliary_panels[a], columns * round_up(k.elements(dim), k.panel));
  }
}

// Sizes of a tile's memory, enough for the largest tile of each similarity.
void size_tiles(WorkspacePlan& p, const WorkspaceRequest& r, const std::vector<Grid>& similarities,
                const Kernels& k) {
  p.auxiliary_dims = r.auxiliary_dims;
  const int64_t padded_dim = round_up(r.dim, k.panel), padded_elements = round_up(k.elements(r.dim), k.panel);
  for (const Grid& s : similarities) {
    const int64_t columns = round_up(s.max_columns(), k.strip), rows = round_up(s.max_rows(), k.panel);
    p.lse_bytes = std::max(p.lse_bytes, engine_bytes(s.row_count(), s.column_count()));
    p.transposed = std::max(p.transposed, rows * k.elements(r.dim));
    p.search_rows = std::max(p.search_rows, rows * r.search.of_row);
    p.row_values = std::max(p.row_values, r.gradient ? k.elements(rows) * padded_dim : 0);
    p.tile = std::max(p.tile, k.tile.rows * columns);
    p.kept_tile = std::max(p.kept_tile, rows * columns);
    p.column_panels = std::max(p.column_panels, columns * padded_elements);
    if (k.pair > 1 && r.gradient)
      p.column_values = std::max(p.column_values, k.elements(columns) * padded_dim);
    size_auxiliaries(p, rows, columns, k);
  }
  p.search_thread = r.search.of_thread;
  p.gathered = r.search.gathered;
  p.packed_column = p.column_panels + p.column_values;
  for (const int64_t panels : p.auxiliary_panels) p.packed_column += panels;
  p.column_buffer = p.packed_column;
  const bool teaches = p.auxiliary_dims[static_cast<size_t>(Auxiliary::kTeacher)] > 0;
  if (teaches) p.lse_bytes += teacher_bytes(similarities);
  if (teaches || p.auxiliary_dims[static_cast<size_t>(Auxiliary::kGuide)] > 0)
    p.auxiliary_tile = (teaches ? 2 : 1) * Workspace::floats_for(p.tile);
  if (k.narrow_gradients && r.gradient) p.narrowed = 2 * k.narrowed_offset();
  p.minimum_bytes = p.lse_bytes + thread_bytes(p) + row_bytes(p);
}

int64_t row_slots_of(const std::vector<Grid>& similarities, int threads) {
  int64_t slots = 0;
  for (const Grid& s : similarities) slots = std::max(slots, row_window(s, threads).slots);
  return slots;
}

// As many threads as are wanted and fit, but one at least. By division: the bytes of so many threads may be
// more than 64 bits count.
void choose_plan_threads(WorkspacePlan& p, const WorkspaceRequest& r, const std::vector<Grid>& similarities,
                         const Extents& e, int64_t bound) {
  const int64_t buffer = Workspace::bytes_for(p.column_buffer);
  const auto fit = [&](int threads) {
    const int64_t slots = row_slots_of(similarities, threads), room = bound - p.lse_bytes;
    if (slots > room / row_bytes(p)) return false;
    const int64_t left = room - slots * row_bytes(p);
    // Threads need no buffers where all columns stay packed.
    const int64_t packed = e.tile_columns * Workspace::bytes_for(p.packed_column);
    return threads <= left / thread_bytes(p) || threads <= (left - packed) / (thread_bytes(p) - buffer);
  };
  p.threads = static_cast<int>(std::clamp<int64_t>(r.threads, 1, e.most_tiles));
  while (p.threads > 1 && !fit(p.threads)) --p.threads;
  p.row_slots = row_slots_of(similarities, p.threads);
}

// What the default bound leaves to threads beyond those that it counts on.
int64_t extra_bytes(const WorkspacePlan& p, const WorkspaceRequest& r,
                    const std::vector<Grid>& similarities) {
  if (r.threads <= kThreadsInFixedBytes) return 0;
  const int64_t of_thread = Workspace::bytes_for(p.tile) + Workspace::bytes_for(p.narrowed) +
                            (r.fused && !r.needs_row_sums ? Workspace::bytes_for(p.kept_tile) : 0);
  const int64_t rows =
      row_slots_of(similarities, r.threads) - row_slots_of(similarities, kThreadsInFixedBytes);
  // Rows of huge length get no more: their bytes times a number may be more than 64 bits count.
  return (r.threads - kThreadsInFixedBytes) * of_thread + rows * std::min(row_bytes(p), kFixedBytes);
}

// What the default bound leaves to a search. Its memory grows with what the caller asks for, as the result
// does.
int64_t search_bytes(const WorkspacePlan& p, const WorkspaceRequest& r,
                     const std::vector<Grid>& similarities) {
  return r.threads * search_thread_bytes(p) +
         row_slots_of(similarities, r.threads) * Workspace::bytes_for(p.search_rows);
}

// What the default bound leaves to auxiliary similarities: their columns, and what threads and tile rows
// need.
int64_t auxiliary_bytes(const WorkspacePlan& p, const WorkspaceRequest& r,
                        const std::vector<Grid>& similarities, int64_t tile_columns) {
  if (p.auxiliary_tile == 0) return 0;
  int64_t bytes = r.threads * Workspace::bytes_for(p.auxiliary_tile) +
                  row_slots_of(similarities, r.threads) * auxiliary_row_bytes(p);
  for (const int64_t panels : p.auxiliary_panels) bytes += tile_columns * panels * kFloat;
  return bytes;
}

void pack_columns(WorkspacePlan& p, int64_t tile_columns, int64_t bound) {
  const int64_t packed_column = Workspace::bytes_for(p.packed_column);
  const int64_t buffers = p.threads * Workspace::bytes_for(p.column_buffer);
  const int64_t left = bound - p.lse_bytes - working_bytes(p);
  if (left + buffers >= tile_columns * packed_column) {
    p.column_buffer = 0;  // all columns stay packed, so threads need no buffer of their own
    p.packed_tile_columns = tile_columns;
  } else if (left > 0) {
    p.packed_tile_columns = left / packed_column;
  }
  p.bytes = p.lse_bytes + working_bytes(p) + p.packed_tile_columns * packed_column;
}

// A fused pass keeps scores from a tile row's first visit to its second. Where a tile needs no sums of its
// tile row, its thread keeps them from the tile's fold to its gradients.
void keep_scores_fused(WorkspacePlan& p, bool needs_row_sums, int64_t tile_columns, int64_t bound) {
  p.kept_owners = needs_row_sums ? p.row_slots : p.threads;
  const int64_t slot = p.kept_owners * Workspace::bytes_for(p.kept_tile);
  p.kept_slots = std::clamp<int64_t>((bound - p.bytes) / slot, 0, needs_row_sums ? tile_columns : 1);
  p.kept_columns = !needs_row_sums && p.kept_slots > 0 ? tile_columns : p.kept_slots;
  p.bytes += p.kept_slots * slot;
}

// Scores take memory of the workspace only once all columns are packed.
void keep_scores(WorkspacePlan& p, int64_t tiles, int64_t tile_columns, int64_t bound) {
  if (p.packed_tile_columns != tile_columns) return;
  const int64_t room = (bound - p.bytes) / Workspace::bytes_for(p.kept_tile);
  p.kept.keep_in_workspace(std::clamp<int64_t>(room, 0, tiles - p.kept.in_gradients()));
  p.bytes += p.kept.in_workspace() * Workspace::bytes_for(p.kept_tile);
}

}  // namespace

int64_t WorkspacePlan::auxiliary_panels_at(Auxiliary a) const {
  int64_t at = column_panels + column_values;
  for (int before = 0; before < static_cast<int>(a); ++before)
    at += auxiliary_panels[static_cast<size_t>(before)];
  return at;
}

int64_t default_bound(int64_t larger_side, int64_t dim) {
  return larger_side * dim * kFloat * 3 / 2 + kFixedBytes;
}

int64_t kept_stride(Range rows, const Kernels& k) { return round_up(rows.size(), k.panel); }

WorkspacePlan plan_workspace(const WorkspaceRequest& r, const std::vector<Grid>& similarities,
                             const Kernels& k) {
  WorkspacePlan p;
  std::vector<Grid> all = similarities;
  all.insert(all.end(), r.visits.begin(), r.visits.end());
  const Extents e = extents_of(all);
  size_tiles(p, r, all, k);
  const int64_t bound = r.bound > 0
                            ? r.bound
                            : default_bound(e.side, r.dim) + extra_bytes(p, r, all) +
                                  search_bytes(p, r, all) + auxiliary_bytes(p, r, all, e.tile_columns);
  choose_plan_threads(p, r, all, e, bound);
  pack_columns(p, e.tile_columns, bound);
  if (!r.gradient) return p;
  if (r.fused) {
    keep_scores_fused(p, r.needs_row_sums, e.tile_columns, bound);
  } else {
    p.kept = KeptTiles(similarities, r.gradient_room, r.dim, k);
    keep_scores(p, extents_of(similarities).tiles, e.tile_columns, bound);
  }
  return p;
}

}  // namespace infcl::cpu
