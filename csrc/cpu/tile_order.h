// Which tile a thread works on next. Tiles are dealt one by one, so all threads stay busy until the last few
// tiles, however many tile rows there are.
//
// Tile rows form blocks. Inside a block, tiles come column by column, and the next block begins when all
// tiles of a block are dealt. A tile is dealt only after the tile to its left and the tile above it. So
// whatever a tile waits for is dealt already, and no two threads wait for each other.
//
// A thread stays on its tile row while this row is about as far as the others, since the operands and the
// gradient of the row are in the cache of that thread. Where blocks have a tile row for each thread, each
// thread stays on its tile row to the end, and then begins the next one.
//
// Pure bookkeeping without threads: callers take turns.
#pragma once

#include <cstdint>
#include <vector>

#include "core/grid.h"

namespace infcl::cpu {

// How many tile rows are worked on at a time.
struct RowWindow {
  int64_t block = 1;     // most tile rows of a block
  int64_t slots = 1;     // most tile rows that are begun and not finished: each needs memory
  bool row_each = true;  // a tile row for each thread
};

// Depends on the number of threads and on the shape alone. Results do not depend on it.
RowWindow row_window(const Grid&, int threads);

struct TileStep {
  enum Part { kTile, kFold, kDifferentiate };  // the whole tile, or one of the passes of a fused pass
  int64_t tile_row = -1, tile_column = 0;
  Part part = kTile;
  bool first = false;  // of its tile row
};

class TileOrder {
 public:
  // With `two_parts`, each tile comes twice: kFold, and kDifferentiate after its tile row is closed.
  TileOrder(const Grid&, RowWindow, bool two_parts);

  enum class Answer { kStep, kWait, kDone };
  // `mine`: the tile row of the thread's last step. kWait: ask again after some thread has finished a step.
  Answer next(int64_t mine, TileStep*);
  // After the last work on the step's tile. True: all tiles of the tile row are folded now, and the caller
  // must close the row.
  bool finish(const TileStep&);
  void close(int64_t tile_row) { row(tile_row).closed = true; }

 private:
  struct Row {
    int64_t folds = 0, tiles = 0;                    // dealt
    int64_t folds_finished = 0, tiles_finished = 0;  // finished
    bool closed = false;
  };
  Row& row(int64_t tile_row) { return rows_[static_cast<size_t>(tile_row % window_.slots)]; }
  const Row& row(int64_t tile_row) const { return rows_[static_cast<size_t>(tile_row % window_.slots)]; }
  int64_t columns_of(int64_t tile_row) const {
    return grid_.tile_columns() - grid_.first_tile_column(tile_row);
  }
  bool all_dealt(int64_t tile_row) const;
  // How far the tile row is, in columns; -1: its next step may not be dealt now.
  int64_t progress(int64_t tile_row) const;
  bool may_deal(int64_t tile_row) const {
    return tile_row >= 0 && tile_row < grid_.tile_rows() && progress(tile_row) >= 0;
  }
  // The tile row whose next step to deal; -1: none.
  int64_t best(int64_t mine) const;
  int64_t best_of(Range tile_rows, int64_t mine) const;
  TileStep deal(int64_t tile_row);

  const Grid& grid_;
  const RowWindow window_;
  const bool two_parts_;
  Cut blocks_;
  std::vector<Row> rows_;  // the tile rows [oldest_, opened_), each in its slot
  int64_t oldest_ = 0;     // the first tile row that is not finished
  int64_t opened_ = 0;     // the first tile row that has not begun
  int64_t block_ = 0;      // the first block with tiles that are not dealt
};

}  // namespace infcl::cpu
