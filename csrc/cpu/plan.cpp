#include "cpu/plan.h"

#include <algorithm>

#include "core/lse.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

namespace {

constexpr int64_t kFixedBytes = 60ll << 20;
constexpr int64_t kFloat = sizeof(float);

// Running sums and dots of both sides.
int64_t engine_bytes(int64_t rows, int64_t columns) {
  return LseVector::bytes(rows) + LseVector::bytes(columns) + 2 * rows * kFloat;
}

int64_t thread_bytes(const WorkspacePlan& l) {
  return Workspace::bytes_for(l.transposed) + Workspace::bytes_for(l.row_values) +
         Workspace::bytes_for(l.tile) + Workspace::bytes_for(l.column_buffer) +
         Workspace::bytes_for(l.narrowed);
}

}  // namespace

int64_t default_bound(int64_t larger_side, int64_t dim) {
  return larger_side * dim * kFloat * 3 / 2 + kFixedBytes;
}

int64_t kept_stride(Range rows, const Kernels& k) { return round_up(rows.size(), k.panel); }

WorkspacePlan plan_workspace(const WorkspaceRequest& r, const std::vector<Grid>& similarities,
                             const Kernels& k) {
  WorkspacePlan l;
  const int64_t padded_dim = round_up(r.dim, k.panel), padded_elements = round_up(k.elements(r.dim), k.panel);
  int64_t tiles = 0, tile_columns = 0, tile_rows = 0, larger_side = 0;
  for (const Grid& s : similarities) {
    const int64_t columns = round_up(s.max_columns(), k.strip), rows = round_up(s.max_rows(), k.panel);
    l.lse_bytes = std::max(l.lse_bytes, engine_bytes(s.row_count(), s.column_count()));
    l.transposed = std::max(l.transposed, rows * k.elements(r.dim));
    l.row_values = std::max(l.row_values, r.gradient ? k.elements(rows) * padded_dim : 0);
    l.tile = std::max(l.tile, k.tile.rows * columns);
    l.kept_tile = std::max(l.kept_tile, rows * columns);
    l.column_panels = std::max(l.column_panels, columns * padded_elements);
    if (k.pair > 1 && r.gradient)
      l.column_values = std::max(l.column_values, k.elements(columns) * padded_dim);
    l.packed_column = l.column_panels + l.column_values;
    tiles += s.tiles();
    tile_columns = std::max(tile_columns, s.tile_columns());
    tile_rows = std::max(tile_rows, s.tile_rows());
    larger_side = std::max({larger_side, s.row_count(), s.column_count()});
  }
  if (k.narrow_gradients && r.gradient) l.narrowed = 2 * k.narrowed_offset();
  const int64_t bound = r.bound > 0 ? r.bound : default_bound(larger_side, r.dim);
  l.column_buffer = l.packed_column;
  l.minimum_bytes = l.lse_bytes + thread_bytes(l);

  // by division, since so many threads' bytes may be more than 64 bits count
  const int64_t affordable = (bound - l.lse_bytes) / thread_bytes(l);
  const int64_t threads =
      std::max<int64_t>(1, std::min({static_cast<int64_t>(r.threads), tile_rows, affordable}));
  l.threads = static_cast<int>(threads);
  const int64_t all_columns = tile_columns * Workspace::bytes_for(l.packed_column);
  const int64_t buffers = threads * Workspace::bytes_for(l.column_buffer);
  const int64_t left = bound - l.lse_bytes - threads * thread_bytes(l);
  if (left + buffers >= all_columns) {
    l.column_buffer = 0;  // nobody packs for himself
    l.packed_tile_columns = tile_columns;
  } else if (left > 0) {
    l.packed_tile_columns = left / Workspace::bytes_for(l.packed_column);
  }
  l.bytes =
      l.lse_bytes + threads * thread_bytes(l) + l.packed_tile_columns * Workspace::bytes_for(l.packed_column);
  if (!r.gradient || !r.keep_scores) return l;
  if (r.fused) {
    const int64_t slot = threads * Workspace::bytes_for(l.kept_tile);
    l.kept_slots = std::clamp<int64_t>((bound - l.bytes) / slot, 0, r.sigmoid ? 1 : tile_columns);
    l.kept_columns = r.sigmoid && l.kept_slots > 0 ? tile_columns : l.kept_slots;
    l.bytes += l.kept_slots * slot;
    return l;
  }
  l.kept = KeptTiles(similarities, {r.lent_rows, r.lent_columns, r.dim}, k.panel, k.strip);
  if (l.packed_tile_columns == tile_columns) {
    const int64_t room = (bound - l.bytes) / Workspace::bytes_for(l.kept_tile);
    l.kept.keep_in_workspace(std::clamp<int64_t>(room, 0, tiles - l.kept.lent()));
    l.bytes += l.kept.in_workspace() * Workspace::bytes_for(l.kept_tile);
  }
  return l;
}

}  // namespace infcl::cpu
