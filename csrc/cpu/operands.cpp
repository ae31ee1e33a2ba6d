// Where what a cell reads and leaves lies: packed operands, kept logits.
#include <algorithm>

#include "cpu/backend.h"

namespace infcl {

void CpuBackend::load(const PassOperands& operands) {
  operands_ = operands;
  const int64_t block = Workspace::bytes_for(layout_.key_block) / static_cast<int64_t>(sizeof(float));
  const int64_t packed = std::min(layout_.packed_blocks, schedule().column_blocks());
  pool_.run(layout_.threads, [&](int t) {
    for (int64_t j = t; j < packed && !stopped(); j += layout_.threads)
      pack_keys(j, packed_keys_ + j * block);
  });
  throw_if_stopped();
}

void CpuBackend::pack_keys(int64_t j, float* out) const {
  const Range columns = schedule().columns(j);
  kernels_->pack_panels(operands_.columns, columns, out, round_up(columns.size(), kernels_->strip));
  if (layout_.key_values > 0)
    kernels_->pack_values(operands_.columns, columns, out + layout_.key_panels,
                          kernels_->elements(columns.size()));
}

const float* CpuBackend::packed_keys(int thread, int64_t j) const {
  if (j < layout_.packed_blocks)
    return packed_keys_ + j * (Workspace::bytes_for(layout_.key_block) / static_cast<int64_t>(sizeof(float)));
  pack_keys(j, memory_[thread].key_buffer);
  return memory_[thread].key_buffer;
}

float* CpuBackend::kept_logits(int t, int64_t i, int64_t j) const {
  const KeptCells& kept = layout_.kept;
  const int64_t size = Workspace::bytes_for(layout_.kept_cell) / static_cast<int64_t>(sizeof(float));
  if (together_)
    return j < layout_.kept_columns ? kept_ + (t * layout_.kept_slots + j % layout_.kept_slots) * size
                                    : nullptr;
  const CellIndex c{operands_.pass, i, j};
  if (kept.in_row_gradients(c)) return problem_.queries.gradient + schedule().rows(i).begin * problem_.dim;
  if (kept.in_column_gradients(c)) return problem_.keys.gradient + schedule().columns(j).begin * problem_.dim;
  const int64_t slot = kept.workspace_slot(schedules_, c);
  return slot < 0 ? nullptr : kept_ + slot * size;
}

CellOperands CpuBackend::operands(int thread, int64_t i, int64_t j) const {
  CellOperands c{};
  c.rows = schedule().rows(i).size();
  c.columns = schedule().columns(j).size();
  c.dim = problem_.dim;
  c.queries = memory_[thread].transposed;
  c.query_values = memory_[thread].query_values;
  c.query_value_rows = kernels_->elements(c.rows);
  c.key_panels = packed_keys(thread, j);
  c.key_panel_rows = round_up(c.columns, kernels_->strip);
  const bool apart = layout_.key_values > 0;
  c.key_values = apart ? c.key_panels + layout_.key_panels : c.key_panels;
  c.key_value_rows = apart ? kernels_->elements(c.columns) : c.key_panel_rows;
  return c;
}

Cell CpuBackend::cell(int64_t i, int64_t j, float* data, int64_t stride) const {
  return {schedule().rows(i), schedule().columns(j), data, stride, schedule().triangle() && i == j};
}

}  // namespace infcl
