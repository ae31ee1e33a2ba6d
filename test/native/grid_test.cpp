// The cut of a similarity into tiles, and the gates that keep the order of every sum.
#include "core/grid.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "check.h"
#include "cpu/thread_pool.h"
#include "cpu/tile_turns.h"
#include "cpu/waiter.h"

using infcl::Grid;
using infcl::TileShape;

namespace {

void test_cut() {
  for (const TileShape tile : {TileShape{448, 448, 32}, TileShape{240, 240, 48}, TileShape{192, 192, 8}})
    for (int64_t rows : {1, 2, 31, 32, 33, 447, 448, 449, 4096, 100003})
      for (int64_t columns : {1, 447, 448, 449, 10007}) {
        const Grid s(rows, columns, tile);
        int64_t next = 0;
        for (int64_t i = 0; i < s.tile_rows(); ++i) {
          const infcl::Range r = s.rows(i);
          CHECK(r.begin == next && r.size() > 0 && r.size() <= tile.rows && r.size() <= s.max_rows(),
                "rows=%ld tile row %ld", (long)rows, (long)i);
          CHECK(r.begin % tile.row_granule == 0, "rows=%ld: tile row %ld begins inside a granule", (long)rows,
                (long)i);
          next = r.end;
        }
        CHECK(next == rows, "rows=%ld: covered %ld", (long)rows, (long)next);
        CHECK(s.columns(s.tile_columns() - 1).end == columns, "columns=%ld", (long)columns);
      }
}

// Equal steps and a rest, as macro-blocks are cut. Pairs are known without a visit, in triangles too.
void test_steps() {
  for (const int64_t step : {1, 128, 384})
    for (const int64_t count : {1, 127, 128, 129, 1000, 4097}) {
      const infcl::Cut cut = infcl::Cut::into_steps(count, step);
      CHECK(cut.before(cut.pieces()) == count && cut.largest() == std::min(count, step), "%ld by %ld",
            (long)count, (long)step);
      for (int64_t piece = 0; piece + 1 < cut.pieces(); ++piece)
        CHECK(cut.at(piece).begin == piece * step && cut.at(piece).size() == step, "piece %ld", (long)piece);
      const Grid triangle(cut, cut, true);
      double pairs = 0;
      int64_t tiles = 0;
      for (int64_t i = 0; i < triangle.tile_rows(); ++i)
        for (int64_t j = triangle.first_tile_column(i); j < triangle.tile_columns(); ++j, ++tiles)
          pairs += static_cast<double>(triangle.rows(i).size() * triangle.columns(j).size());
      CHECK(triangle.tiles() == tiles && triangle.pairs(triangle.tile_columns()) == pairs, "%ld by %ld: %g",
            (long)count, (long)step, pairs);
    }
}

void test_even_parts() {
  const Grid s(8192, 8192, {448, 448, 32});
  for (int threads : {1, 2, 4, 8}) {
    std::vector<int64_t> part(static_cast<size_t>(threads));
    for (int64_t i = 0; i < s.tile_rows(); ++i) part[i % threads] += s.rows(i).size();
    for (int64_t rows : part)
      CHECK(rows * threads >= 8192 * 0.93 && rows * threads <= 8192 * 1.07, "%d threads: %ld", threads,
            (long)rows);
  }
}

// What threads add to in turns. No lock protects it, so a thread sanitizer sees a gate that does not.
struct Visits {
  std::vector<std::vector<int64_t>> rows, columns;  // of each slice of each line: the turns that came
};

// Visits one tile: adds to every slice of its tile row and of its tile column.
void visit_tile(int64_t i, int64_t j, infcl::cpu::GridGates& gates, Visits& visits) {
  constexpr int kSlices = infcl::cpu::TurnGates::kMostSlices;
  infcl::cpu::TileTurns turns;
  turns.begin(i, j, kSlices, kSlices);
  while (!turns.done()) {
    infcl::cpu::Piece piece{};
    for (infcl::cpu::Waiter w(true); !turns.take(gates, &piece); w.wait()) {
    }
    if (piece.of_rows) {
      visits.rows[i * kSlices + piece.slice].push_back(j);
    } else {
      visits.columns[j * kSlices + piece.slice].push_back(i);
    }
    turns.leave(gates, piece);
  }
}

// Every slice of every line must see the tiles in ascending order whatever the interleaving.
void test_gate_order() {
  constexpr int kThreads = 4;
  const Grid grid(40, 7, {1, 1, 1});
  infcl::cpu::GridGates gates(grid);
  Visits visits{std::vector<std::vector<int64_t>>(grid.tile_rows() * 8),
                std::vector<std::vector<int64_t>>(grid.tile_columns() * 8)};
  std::atomic<int64_t> next{0};
  infcl::cpu::ThreadPool pool;
  pool.ensure(kThreads);
  pool.run(kThreads, [&](int) {
    for (int64_t at; (at = next++) < grid.tiles();)
      visit_tile(at / grid.tile_columns(), at % grid.tile_columns(), gates, visits);
  });
  const auto check = [](const std::vector<std::vector<int64_t>>& lines, int64_t turns) {
    for (const std::vector<int64_t>& order : lines) {
      CHECK(static_cast<int64_t>(order.size()) == turns, "%zu visits", order.size());
      for (size_t n = 0; n < order.size(); ++n) CHECK(order[n] == static_cast<int64_t>(n), "visit %zu", n);
    }
  };
  check(visits.rows, grid.tile_columns());
  check(visits.columns, grid.tile_rows());
}

}  // namespace

int main() {
  test_cut();
  test_steps();
  test_even_parts();
  test_gate_order();
  return check::summary();
}
