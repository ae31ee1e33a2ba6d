#include "cpu/kept_cells.h"

namespace infcl {

// Row blocks are whole panels and column blocks whole strips, but for the last of each: so the blocks that
// are large enough come first.
KeptCells::KeptCells(const std::vector<Schedule>& passes, const Lender& lender, int64_t panel,
                     int64_t strip) {
  const Schedule& s = passes[0];
  if (s.triangle()) return;  // rows get gradients as columns too
  const auto room_for_cell = [&](Range lent, int64_t rows_lent, int64_t i, int64_t j) {
    const int64_t rows = std::max<int64_t>(0, std::min(lent.end, rows_lent) - lent.begin);
    return rows * lender.dim >= round_up(s.rows(i).size(), panel) * round_up(s.columns(j).size(), strip);
  };
  while (row_blocks_ < s.row_blocks() && room_for_cell(s.rows(row_blocks_), lender.d_rows, row_blocks_, 0))
    ++row_blocks_;
  while (column_blocks_ < s.column_blocks() &&
         room_for_cell(s.columns(column_blocks_), lender.d_columns, 0, column_blocks_))
    ++column_blocks_;
}

int64_t KeptCells::workspace_slot(const std::vector<Schedule>& passes, const CellIndex& c) const {
  int64_t slot = passes[c.pass].index(c.row_block, c.column_block);
  for (int p = 0; p < c.pass; ++p) slot += passes[p].cells();
  if (c.pass > 0) {
    slot -= lent();
  } else {  // less the cells before it that lie in gradients
    slot -= c.column_block == 0 ? std::min(c.row_block, row_blocks_) : row_blocks_;
    const int64_t columns_before = c.column_block + (c.row_block > 0 ? 1 : 0);
    slot -= std::max<int64_t>(0, std::min(columns_before, column_blocks_) - first_column_block());
  }
  return slot < in_workspace_ ? slot : -1;
}

}  // namespace infcl
