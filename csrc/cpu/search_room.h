// The memory that a search takes beside its tiles. A header of its own, so that the plan and the passes
// agree.
#pragma once

#include "core/backend.h"
#include "cpu/best_columns.h"
#include "cpu/kernels/table.h"
#include "cpu/plan.h"

namespace infcl::cpu {

// Columns of a tile that are listed at a time. The first ones raise the limits for the next ones.
constexpr int64_t kListedColumns = 32;

inline SearchRoom search_room(const Problem& p, const Kernels& k) {
  SearchRoom room;
  if (p.search.k > 0) {
    const BestColumnsRoom best = best_columns_room(p.search.k, p.search.groups);
    room.of_row = best.of_row;
    room.of_thread = best.of_cut + kListedColumns * k.tile.rows;
  }
  if (p.search.column_order)
    room.gathered = ceil_div(
        k.tile.columns * p.dim * static_cast<int64_t>(dtype_size(p.matrix(Operand::kKeys).view.dtype)),
        static_cast<int64_t>(sizeof(float)));
  return room;
}

}  // namespace infcl::cpu
