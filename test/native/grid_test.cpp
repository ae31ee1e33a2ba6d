// The cut of a similarity into tiles, and the gate that keeps the order of every sum.
#include "core/grid.h"

#include <vector>

#include "check.h"
#include "cpu/column_gate.h"
#include "cpu/thread_pool.h"

using infcl::Grid;
using infcl::TileShape;
using infcl::cpu::ColumnGate;

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
          CHECK(r.begin % tile.row_granule == 0, "rows=%ld tile row %ld begins inside a granule", (long)rows,
                (long)i);
          next = r.end;
        }
        CHECK(next == rows, "rows=%ld: covered %ld", (long)rows, (long)next);
        CHECK(s.columns(s.tile_columns() - 1).end == columns, "columns=%ld", (long)columns);
      }
}

void test_even_shares() {
  const Grid s(8192, 8192, {448, 448, 32});
  for (int threads : {1, 2, 4, 8}) {
    std::vector<int64_t> share(static_cast<size_t>(threads));
    for (int64_t i = 0; i < s.tile_rows(); ++i) share[i % threads] += s.rows(i).size();
    for (int64_t rows : share)
      CHECK(rows * threads >= 8192 * 0.93 && rows * threads <= 8192 * 1.07, "%d threads: %ld", threads,
            (long)rows);
  }
}

// Every column must see the tile rows in ascending order whatever the interleaving.
void test_gate_order() {
  constexpr int kThreads = 4, kTileRows = 40, kTileColumns = 7;
  infcl::cpu::ColumnGate gate(kTileColumns);
  std::vector<std::vector<int>> seen(kTileColumns);
  infcl::cpu::ThreadPool pool;
  pool.ensure(kThreads);
  pool.run(kThreads, [&](int t) {
    for (int i = t; i < kTileRows; i += kThreads)
      for (int j = 0; j < kTileColumns; ++j) {
        if (!gate.enter(j, i)) return;
        seen[j].push_back(i);
        gate.leave(j, i);
      }
  });
  for (const std::vector<int>& order : seen) {
    CHECK(order.size() == kTileRows, "%zu visits", order.size());
    for (size_t i = 0; i < order.size(); ++i) CHECK(order[i] == static_cast<int>(i), "visit %zu", i);
  }
}

void test_gate_stop() {
  infcl::cpu::ColumnGate gate(1);
  gate.stop();
  CHECK(!gate.enter(0, 5), "a stopped gate lets nobody wait");
}

}  // namespace

int main() {
  test_cut();
  test_even_shares();
  test_gate_order();
  test_gate_stop();
  return check::summary();
}
