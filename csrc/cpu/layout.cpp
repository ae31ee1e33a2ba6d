#include "cpu/layout.h"

#include "core/lse.h"
#include "cpu/workspace.h"

namespace infcl {

namespace {

constexpr int64_t kFixedBytes = 48ll << 20;
constexpr int64_t kFloat = sizeof(float);

int64_t engine_bytes(const LayoutRequest& r) {
  const int64_t dots = 2 * r.rows * kFloat;
  return LseVector::bytes(r.rows) + LseVector::bytes(r.keys) + dots;
}

int64_t thread_bytes(const Layout& l) {
  return Workspace::bytes_for(l.transposed) + Workspace::bytes_for(l.query_panels) +
         Workspace::bytes_for(l.cell) + Workspace::bytes_for(l.key_buffer);
}

}  // namespace

int64_t default_bound(const LayoutRequest& r) {
  const int64_t larger = r.rows > r.keys ? r.rows : r.keys;
  return larger * r.dim * kFloat * 3 / 2 + kFixedBytes;
}

Layout make_layout(const LayoutRequest& r, const Schedule& schedule, const Kernels& k) {
  Layout l;
  const int64_t bound = r.bound > 0 ? r.bound : default_bound(r);
  const int64_t columns = schedule.columns(0).size();
  const int64_t padded_dim = round_up(r.dim, k.panel), block_rows = round_up(schedule.max_rows(), k.panel);
  l.lse_bytes = engine_bytes(r);
  l.transposed = block_rows * r.dim;
  l.query_panels = r.gradient ? block_rows * padded_dim : 0;
  l.cell = k.cell.rows * round_up(columns, k.strip);
  l.key_block = round_up(columns, k.strip) * padded_dim;
  l.key_buffer = l.key_block;
  l.minimum_bytes = l.lse_bytes + thread_bytes(l);

  const int64_t all_keys = schedule.column_blocks() * Workspace::bytes_for(l.key_block);
  int64_t threads = r.threads < schedule.row_blocks() ? r.threads : schedule.row_blocks();
  while (threads > 1 && l.lse_bytes + threads * thread_bytes(l) > bound) --threads;
  l.threads = static_cast<int>(threads);
  int64_t left = bound - l.lse_bytes - threads * thread_bytes(l);
  if (left + threads * Workspace::bytes_for(l.key_buffer) >= all_keys) {
    left += threads * Workspace::bytes_for(l.key_buffer);  // nobody packs for himself
    l.key_buffer = 0;
    l.packed_blocks = schedule.column_blocks();
  } else if (left > 0) {
    l.packed_blocks = left / Workspace::bytes_for(l.key_block);
  }
  l.bytes = l.lse_bytes + threads * thread_bytes(l) + l.packed_blocks * Workspace::bytes_for(l.key_block);
  if (r.gradient && r.keep_logits && l.packed_blocks == schedule.column_blocks()) {
    l.kept_cells = (bound - l.bytes) / Workspace::bytes_for(l.cell);
    if (l.kept_cells > schedule.cells()) l.kept_cells = schedule.cells();
    l.bytes += l.kept_cells * Workspace::bytes_for(l.cell);
  }
  return l;
}

}  // namespace infcl
