// The order in which tiles are dealt: each tile once, after the tiles that it waits for, within the window of
// tile rows, and never a state in which all threads wait.
#include "cpu/tile_order.h"

#include <random>
#include <vector>

#include "check.h"
#include "cpu/tile_turns.h"

using namespace infcl;
using namespace infcl::cpu;

namespace {

constexpr TileShape kTile{448, 448, 32};

struct Sweep {
  Grid grid;
  int threads;
  bool two_parts;
};

// What has been dealt and finished so far.
class Record {
 public:
  explicit Record(const Sweep& s)
      : s_(s), folds_(tiles()), tiles_(tiles()), finished_(static_cast<size_t>(s.grid.tile_rows())) {}

  void deal(const TileStep& step) {
    const int64_t i = step.tile_row, j = step.tile_column;
    std::vector<char>& dealt = step.part == TileStep::kFold ? folds_ : tiles_;
    CHECK(!dealt[at(i, j)], "(%ld, %ld) comes twice", (long)i, (long)j);
    CHECK(step.part == TileStep::kTile ? !s_.two_parts : s_.two_parts, "part %d", step.part);
    dealt[at(i, j)] = 1;
    if (j > s_.grid.first_tile_column(i)) CHECK(dealt[at(i, j - 1)], "before the tile to its left");
    // Folds of two parts add nothing to their columns.
    if (i > 0 && step.part != TileStep::kFold) CHECK(dealt[at(i - 1, j)], "before the tile above");
    if (step.part == TileStep::kDifferentiate)
      for (int64_t c = 0; c < s_.grid.tile_columns(); ++c) CHECK(folds_[at(i, c)], "before its tile row");
    count_ += 1;
    while (oldest_ < s_.grid.tile_rows() && finished_[oldest_] == columns(oldest_)) ++oldest_;
    CHECK(i - oldest_ < row_window(s_.grid, s_.threads).slots, "tile row %ld while %ld is unfinished",
          (long)i, (long)oldest_);
  }
  void finish(const TileStep& step) { finished_[step.tile_row] += step.part != TileStep::kFold; }
  int64_t count() const { return count_; }

 private:
  size_t tiles() const { return static_cast<size_t>(s_.grid.tile_rows() * s_.grid.tile_columns()); }
  size_t at(int64_t i, int64_t j) const { return static_cast<size_t>(i * s_.grid.tile_columns() + j); }
  int64_t columns(int64_t i) const { return s_.grid.tile_columns() - s_.grid.first_tile_column(i); }

  const Sweep& s_;
  std::vector<char> folds_, tiles_;
  std::vector<int64_t> finished_;
  int64_t oldest_ = 0, count_ = 0;
};

// Threads that finish their steps in a random order.
void test_sweep(const Sweep& s, unsigned seed) {
  std::mt19937 random(seed);
  Record record(s);
  TileOrder order(s.grid, row_window(s.grid, s.threads), s.two_parts);
  struct Thread {
    TileStep step;
    bool busy = false, done = false;
  };
  std::vector<Thread> threads(static_cast<size_t>(s.threads));
  for (size_t done = 0; done < threads.size();) {
    size_t busy = 0;
    for (Thread& t : threads) {
      if (t.busy || t.done) continue;
      const TileOrder::Answer answer = order.next(t.step.tile_row, &t.step);
      t.busy = answer == TileOrder::Answer::kStep;
      t.done = answer == TileOrder::Answer::kDone;
      if (t.busy) record.deal(t.step);
      done += t.done;
    }
    for (const Thread& t : threads) busy += t.busy;
    CHECK(busy > 0 || done == threads.size(), "all %d threads wait", s.threads);
    if (busy == 0) return;
    size_t chosen = random() % busy;
    for (Thread& t : threads) {
      if (!t.busy || chosen-- > 0) continue;
      t.busy = false;
      record.finish(t.step);
      if (order.finish(t.step)) order.close(t.step.tile_row);
      break;
    }
  }
  CHECK(record.count() == s.grid.tiles() * (s.two_parts ? 2 : 1), "%ld of %ld tiles", (long)record.count(),
        (long)s.grid.tiles());
}

void test_sweeps() {
  for (const int threads : {1, 2, 3, 7, 16, 128})
    for (const int64_t rows : {1, 500, 4096, 12000}) {
      for (const bool two_parts : {false, true}) {
        test_sweep({Grid(rows, rows, kTile), threads, two_parts}, 1);
        test_sweep({Grid(rows, 448, kTile), threads, two_parts}, 2);
        test_sweep({Grid(448, rows, kTile), threads, two_parts}, 3);
      }
      test_sweep({Grid(rows, rows, kTile, true), threads, false}, 4);
    }
}

// One thread, and two in step, visit tiles as they have always done: a thread stays on its tile row.
void test_few_threads() {
  const Grid grid(4096, 4096, kTile);
  for (const int threads : {1, 2}) {
    TileOrder order(grid, row_window(grid, threads), false);
    std::vector<TileStep> steps(static_cast<size_t>(threads));
    for (int64_t row = 0; row < grid.tile_rows(); row += threads)
      for (int64_t j = 0; j < grid.tile_columns(); ++j) {
        for (int t = 0; t < threads; ++t) {
          order.next(steps[t].tile_row, &steps[t]);
          CHECK(steps[t].tile_row == row + t && steps[t].tile_column == j, "%d: (%ld, %ld)", t,
                (long)steps[t].tile_row, (long)steps[t].tile_column);
        }
        for (int t = 0; t < threads; ++t) order.finish(steps[t]);
      }
  }
}

// In a triangle one line takes the tiles above the diagonal, the tile on it, and the tiles to the right.
void test_turns_of_triangle() {
  const Grid grid(2000, 2000, kTile, true);
  GridGates gates(grid);
  const auto may = [&](int64_t i, int64_t j, bool of_rows) {
    TileTurns turns;
    turns.begin(i, j, of_rows ? 1 : 0, of_rows ? 0 : 1);
    Piece piece{};
    if (!turns.take(gates, &piece)) return false;
    CHECK(turns.done(), "one piece");
    turns.leave(gates, piece);
    return true;
  };
  CHECK(!may(1, 1, true) && !may(1, 2, true), "before the tile above");
  CHECK(!may(0, 1, true) && may(0, 1, false) && !may(0, 1, false), "its columns, once");
  CHECK(may(0, 0, true) && may(0, 1, true), "the row of the corner");
  CHECK(may(1, 1, true) && may(1, 2, true) && !may(1, 2, true), "the second tile row");
}

// The slices cover each feature of each row once, in whole panels and granules, for a tile of any size.
void test_slices(const GradientSlices& slices, int64_t panel, int64_t rows, int64_t granule) {
  CHECK(slices.count() >= 1 && slices.count() <= TurnGates::kMostSlices, "%d slices", slices.count());
  int64_t covered = 0;
  for (int s = 0; s < slices.count(); ++s) {
    const Range features = slices.features(s), band = slices.band(s, rows, granule);
    CHECK(features.size() > 0 && features.end <= slices.dim && features.begin % panel == 0, "slice %d", s);
    CHECK(band.size() >= 0 && band.end <= rows && (band.size() == 0 || band.begin % granule == 0), "slice %d",
          s);
    covered += features.size() * band.size();
    for (int other = 0; other < s; ++other) {
      const Range f = slices.features(other), b = slices.band(other, rows, granule);
      CHECK(f.end <= features.begin || f.begin >= features.end || b.end <= band.begin || b.begin >= band.end,
            "slices %d and %d meet", other, s);
    }
  }
  CHECK(covered == rows * slices.dim, "%ld of %ld elements", (long)covered, (long)(rows * slices.dim));
}

void test_slices() {
  for (const int64_t dim : {1, 31, 32, 33, 64, 96, 128, 256, 257, 300, 4096, 100000})
    for (const int64_t panel : {8, 16, 32})
      for (const int threads : {1, 4, 5, 128})
        for (const int64_t rows : {1, 14, 100, 352, 448}) {
          const GradientSlices slices(dim, panel, threads);
          for (const int64_t granule : {8, 14, 32}) test_slices(slices, panel, rows, granule);
          if (threads > 4) CHECK(slices.count() >= 5, "dim %ld: %d slices", (long)dim, slices.count());
        }
}

}  // namespace

int main() {
  test_sweeps();
  test_few_threads();
  test_turns_of_triangle();
  test_slices();
  return check::summary();
}
