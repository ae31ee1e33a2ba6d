// The addresses of a tile's operands, packed for the kernels, and of its kept scores.
#include <algorithm>
#include <cstring>

#include "cpu/backend.h"

namespace infcl::cpu {

void CpuBackend::load(int similarity, const GuestVisit* guest) {
  similarity_ = similarity;
  guest_ = guest;
  if (guest) guest_grid_.emplace(guest->rows, guest->columns.view.rows, kernels_->tile);
  const int64_t stride = Workspace::floats_for(plan_.packed_column);
  const int64_t packed = std::min(plan_.packed_tile_columns, grid().tile_columns());
  pool_.run(plan_.threads, [&](int t) {
    for (int64_t j = t; j < packed && !stopped(); j += plan_.threads)
      pack_columns(t, j, packed_columns_ + j * stride);
  });
  throw_if_stopped();
}

void CpuBackend::pack_columns(int thread, int64_t j, float* out) const {
  const Range tile_column = grid().columns(j);
  const bool gather = problem_.search.column_order != nullptr;
  const MatrixView view = gather ? gather_columns(thread, tile_column) : columns().view;
  const Range range = gather ? Range{0, tile_column.size()} : tile_column;
  kernels_->pack_panels(view, range, out, round_up(range.size(), kernels_->strip));
  if (plan_.column_values > 0)
    kernels_->pack_values(view, range, out + plan_.column_panels, kernels_->elements(range.size()));
  pack_auxiliary_columns(range, out);
}

MatrixView CpuBackend::gather_columns(int thread, Range positions) const {
  MatrixView gathered = columns().view;
  const size_t bytes = static_cast<size_t>(gathered.dim) * dtype_size(gathered.dtype);
  char* out = reinterpret_cast<char*>(memory_[thread].gathered);
  for (int64_t at = positions.begin; at < positions.end; ++at, out += bytes)
    std::memcpy(out, columns().view.row(problem_.search.column_order[at]), bytes);
  gathered.data = memory_[thread].gathered;
  gathered.rows = positions.size();
  gathered.stride = gathered.dim;
  return gathered;
}

void CpuBackend::pack_rows(int64_t i, bool values) const {
  const Range range = grid().rows(i);
  const RowMemory& m = row_memory(i);
  kernels_->pack_transposed(rows().view, range, m.transposed);
  if (values) kernels_->pack_values(rows().view, range, m.row_values, kernels_->elements(range.size()));
  pack_auxiliary_rows(range, m);
}

const float* CpuBackend::packed_columns(int thread, int64_t j) const {
  if (j < plan_.packed_tile_columns) return packed_columns_ + j * Workspace::floats_for(plan_.packed_column);
  pack_columns(thread, j, memory_[thread].column_buffer);
  return memory_[thread].column_buffer;
}

float* CpuBackend::kept_scores(int t, int64_t i, int64_t j) const {
  if (guest_) return nullptr;  // its features will have gone on when the backward pass comes
  const KeptTiles& kept = plan_.kept;
  const int64_t size = Workspace::floats_for(plan_.kept_tile);
  if (in_fused_pass_) {
    if (j >= plan_.kept_columns) return nullptr;
    const int64_t owner = problem_.sigmoid ? t : i % plan_.kept_owners;
    return kept_ + (owner * plan_.kept_slots + j % plan_.kept_slots) * size;
  }
  const TileIndex c{similarity_, i, j};
  if (kept.in_row_gradients(c)) return rows().gradient + grid().rows(i).begin * problem_.dim;
  if (kept.in_column_gradients(c)) return columns().gradient + grid().columns(j).begin * problem_.dim;
  const int64_t slot = kept.workspace_slot(grids_, c);
  return slot < 0 ? nullptr : kept_ + slot * size;
}

TileOperands CpuBackend::operands(int thread, int64_t i, int64_t j) const {
  TileOperands c{};
  c.rows = grid().rows(i).size();
  c.columns = grid().columns(j).size();
  c.dim = problem_.dim;
  c.transposed_rows = row_memory(i).transposed;
  c.row_values = row_memory(i).row_values;
  c.row_value_rows = kernels_->elements(c.rows);
  c.column_panels = packed_columns(thread, j);
  c.column_panel_rows = round_up(c.columns, kernels_->strip);
  const bool separate = plan_.column_values > 0;
  c.column_values = separate ? c.column_panels + plan_.column_panels : c.column_panels;
  c.column_value_rows = separate ? kernels_->elements(c.columns) : c.column_panel_rows;
  return c;
}

TilePlace CpuBackend::place(int64_t i, int64_t j) const {
  return {grid().rows(i), grid().columns(j), grid().triangle() && i == j};
}

}  // namespace infcl::cpu
