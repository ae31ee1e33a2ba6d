// Which cells' logits wait in memory from the forward lap for the backward one, and where. Gradient memory is
// idle until the backward lap writes to it, and what it first writes to a block of rows it makes of one cell:
// of column block 0 for the rows of d_queries, of row block 0 for those of d_keys. So that cell's logits can
// lie in those very rows, read just before they are overwritten, and by the thread that will do so. All
// others lie in the workspace, by columns first, as many as fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/grid.h"

namespace infcl {

// A cell among the passes of a call.
struct CellIndex {
  int pass;
  int64_t row_block, column_block;
};

class KeptCells {
 public:
  // Rows of gradients that the first pass may use, 0: none. The cell's floats are a whole number of panels
  // times a whole number of strips.
  struct Lender {
    int64_t d_rows = 0, d_columns = 0, dim = 0;
  };

  KeptCells() = default;
  KeptCells(const std::vector<Schedule>& passes, const Lender&, int64_t panel, int64_t strip);

  // Cells whose logits lie in gradients.
  int64_t lent() const { return row_blocks_ + std::max<int64_t>(0, column_blocks_ - first_column_block()); }
  // Of the others, up to `count` of those in a workspace.
  void keep_in_workspace(int64_t count) { in_workspace_ = count; }
  int64_t in_workspace() const { return in_workspace_; }

  bool in_row_gradients(const CellIndex& c) const {
    return c.pass == 0 && c.column_block == 0 && c.row_block < row_blocks_;
  }
  bool in_column_gradients(const CellIndex& c) const {
    return c.pass == 0 && c.row_block == 0 && c.column_block >= first_column_block() &&
           c.column_block < column_blocks_;
  }
  // Position in the workspace of a cell that lies in no gradient; -1: there is no room for it.
  int64_t workspace_slot(const std::vector<Schedule>& passes, const CellIndex&) const;
  bool holds(const std::vector<Schedule>& passes, const CellIndex& c) const {
    return in_row_gradients(c) || in_column_gradients(c) || workspace_slot(passes, c) >= 0;
  }
  // Pairs of all cells that it holds. Known without a visit.
  double pairs(const std::vector<Schedule>& passes) const;

 private:
  int64_t first_column_block() const { return row_blocks_ > 0 ? 1 : 0; }

  int64_t row_blocks_ = 0, column_blocks_ = 0;  // of the first pass, up to which gradients hold a cell each
  int64_t in_workspace_ = 0;
};

}  // namespace infcl
