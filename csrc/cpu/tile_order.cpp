// Deals tiles. No function visits more than a few blocks of tile rows.
#include "cpu/tile_order.h"

#include <algorithm>
#include <cmath>

namespace infcl::cpu {

namespace {

// How many tiles a thread's own tile row may be ahead of the last row of its block.
constexpr int64_t kMostAhead = 2;

}  // namespace

RowWindow row_window(const Grid& grid, int threads) {
  const int64_t root = static_cast<int64_t>(std::ceil(std::sqrt(threads / 2.)));
  // Where tile rows are short, more of them are needed to occupy all threads.
  const int64_t least = std::max<int64_t>(ceil_div(threads, grid.tile_columns()), std::min(threads, 2));
  RowWindow w;
  w.block = std::min(grid.tile_rows(), std::max(root, least));
  w.slots = std::min<int64_t>({grid.tile_rows(), 2 * w.block, threads});
  w.row_each = w.block >= threads;
  return w;
}

TileOrder::TileOrder(const Grid& grid, RowWindow window, bool two_parts)
    : grid_(grid),
      window_(window),
      two_parts_(two_parts),
      blocks_(grid.tile_rows(), 1, ceil_div(grid.tile_rows(), window.block)),
      rows_(static_cast<size_t>(window.slots)) {}

bool TileOrder::all_dealt(int64_t tile_row) const {
  return tile_row < oldest_ || (tile_row < opened_ && row(tile_row).tiles == columns_of(tile_row));
}

int64_t TileOrder::progress(int64_t tile_row) const {
  const bool opens = tile_row == opened_;
  if (opens ? opened_ - oldest_ == window_.slots : tile_row > opened_ || all_dealt(tile_row)) return -1;
  const Row row = opens ? Row{} : this->row(tile_row);
  const int64_t columns = columns_of(tile_row);
  if (two_parts_ && row.folds < columns) return row.folds;
  if (two_parts_ && !row.closed) return -1;
  const int64_t column = grid_.first_tile_column(tile_row) + row.tiles;
  const int64_t above = tile_row - 1;
  if (tile_row > 0 && !all_dealt(above) && grid_.first_tile_column(above) + this->row(above).tiles <= column)
    return -1;
  return two_parts_ ? columns + column : column;
}

int64_t TileOrder::best_of(Range tile_rows, int64_t mine) const {
  int64_t best = -1, least = 0, own = -1;
  for (int64_t i = tile_rows.begin; i < std::min(tile_rows.end, opened_ + 1); ++i) {
    const int64_t at = progress(i);
    if (at < 0) continue;
    if (i == mine) own = at;
    if (best >= 0 && at >= least) continue;
    best = i;
    least = at;
  }
  return own >= 0 && own <= least + kMostAhead ? mine : best;
}

TileStep TileOrder::deal(int64_t tile_row) {
  TileStep step;
  step.first = tile_row == opened_;
  if (step.first) {
    row(tile_row) = {};
    ++opened_;
  }
  Row& r = row(tile_row);
  const bool fold = two_parts_ && r.folds < columns_of(tile_row);
  step.tile_row = tile_row;
  step.part = !two_parts_ ? TileStep::kTile : fold ? TileStep::kFold : TileStep::kDifferentiate;
  step.tile_column = grid_.first_tile_column(tile_row) + (fold ? r.folds++ : r.tiles++);
  return step;
}

TileOrder::Answer TileOrder::next(int64_t mine, TileStep* step) {
  const auto is_dealt = [&](Range tile_rows) {
    for (int64_t i = tile_rows.begin; i < tile_rows.end; ++i)
      if (!all_dealt(i)) return false;
    return true;
  };
  while (block_ < blocks_.pieces() && is_dealt(blocks_.at(block_))) ++block_;
  if (block_ == blocks_.pieces()) return Answer::kDone;
  const int64_t tile_row = best(mine);
  if (tile_row < 0) return Answer::kWait;
  *step = deal(tile_row);
  return Answer::kStep;
}

int64_t TileOrder::best(int64_t mine) const {
  if (window_.row_each) {
    if (may_deal(mine)) return mine;
    if (may_deal(opened_)) return opened_;
  }
  for (int64_t b = block_; b < blocks_.pieces() && blocks_.at(b).begin <= opened_; ++b) {
    const int64_t tile_row = best_of(blocks_.at(b), mine);
    if (tile_row >= 0) return tile_row;
  }
  return -1;
}

bool TileOrder::finish(const TileStep& step) {
  Row& r = row(step.tile_row);
  if (step.part == TileStep::kFold) return ++r.folds_finished == columns_of(step.tile_row);
  ++r.tiles_finished;
  while (oldest_ < opened_ && row(oldest_).tiles_finished == columns_of(oldest_)) ++oldest_;
  return false;
}

}  // namespace infcl::cpu
