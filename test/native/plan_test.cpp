// The spending of scratch memory: bounds are kept, priorities hold, and linear growth is really linear.
#include "cpu/plan.h"

#include <algorithm>
#include <initializer_list>
#include <set>

#include "check.h"
#include "cpu/isa_dispatch.h"
#include "cpu/workspace.h"

using namespace infcl;
using namespace infcl::cpu;

namespace {

constexpr int64_t kMiB = 1 << 20;

WorkspaceRequest request(int64_t dim, int threads, int64_t bound) {
  WorkspaceRequest r;
  r.dim = dim;
  r.threads = threads;
  r.bound = bound;
  return r;
}

WorkspacePlan plan(const Kernels& k, int64_t rows, WorkspaceRequest r) {
  return plan_workspace(r, {Grid(rows, rows, k.tile)}, k);
}

void test_bounds(const Kernels& k) {
  for (int64_t rows : {1, 100, 448, 5000, 65536, 4194304})
    for (int64_t dim : {1, 64, 768})
      for (int64_t bound : std::initializer_list<int64_t>{0l, 16 * kMiB, 64 * kMiB, 1024 * kMiB}) {
        const WorkspaceRequest r = request(dim, 4, bound);
        const WorkspacePlan l = plan(k, rows, r);
        const int64_t limit = bound ? bound : default_bound(rows, dim);
        if (l.minimum_bytes > limit) continue;
        CHECK(l.bytes <= limit, "%s rows=%ld dim=%ld bound=%ld: %ld", k.isa, (long)rows, (long)dim,
              (long)bound, (long)l.bytes);
        CHECK(l.bytes >= l.minimum_bytes || l.column_buffer == 0, "rows=%ld dim=%ld", (long)rows, (long)dim);
        CHECK(l.threads >= 1 && l.threads <= 4, "%d", l.threads);
      }
}

void test_default_is_linear(const Kernels& k) {
  // The promise of docs/performance.md: 1.6 x rows x dim x 4 bytes and a constant.
  for (int64_t rows : {16384, 65536, 262144}) {
    const WorkspacePlan l = plan(k, rows, request(256, 2, 0));
    CHECK(l.bytes <= 16 * rows * 256 * 4 / 10 + 64 * kMiB, "rows=%ld: %ld", (long)rows, (long)l.bytes);
    CHECK(l.packed_tile_columns * k.tile.columns >= rows && l.column_buffer == 0,
          "rows=%ld: keys stay packed", (long)rows);
  }
}

// Threads share the rows of a tile row, so memory grows by a tile for each thread and by a tile row for some.
// There are as many threads as fit, never more than tiles. The default bound has room for all of them.
void test_threads(const Kernels& k) {
  WorkspacePlan before = plan(k, 65536, request(256, 1, int64_t{8} << 30));
  for (int threads : {2, 4, 8, 16, 32, 64, 128}) {
    const WorkspacePlan l = plan(k, 65536, request(256, threads, int64_t{8} << 30));
    CHECK(l.threads == threads && l.row_slots <= threads && l.row_slots >= before.row_slots, "%s %d: %ld",
          k.isa, threads, (long)l.row_slots);
    const WorkspacePlan tight = plan(k, 65536, request(256, threads, l.minimum_bytes * 3));
    CHECK(tight.bytes <= l.minimum_bytes * 3 && tight.threads >= 1 && tight.threads <= threads, "%d of %d",
          tight.threads, threads);
    before = l;
  }
  for (int threads : {16, 64, 128, 512})
    for (int64_t rows : {16384, 65536, 262144}) {
      const WorkspacePlan l = plan(k, rows, request(256, threads, 0));
      CHECK(l.threads == threads && l.column_buffer == 0, "%s %ld rows: %d of %d threads", k.isa, (long)rows,
            l.threads, threads);
      CHECK(l.bytes <= default_bound(rows, 256) + threads * (kMiB + kMiB / 4), "%d threads: %ld", threads,
            (long)l.bytes);
    }
  CHECK(before.row_slots <= 32, "128 threads share %ld tile rows", (long)before.row_slots);
  const Grid few(4 * k.tile.rows, 2 * k.tile.columns, k.tile);
  CHECK(plan_workspace(request(8, 1000, 0), {few}, k).threads <= few.tiles(), "more threads than tiles");
}

void test_priorities(const Kernels& k) {
  WorkspaceRequest r = request(512, 2, 0);
  r.bound = plan(k, 8192, request(512, 1, 1)).minimum_bytes;
  WorkspacePlan l = plan(k, 8192, r);
  CHECK(l.threads == 1 && l.packed_tile_columns == 0 && l.kept.in_workspace() == 0,
        "tightest bound: one thread, no luxury");
  r.bound = int64_t{8} << 30;
  l = plan(k, 8192, r);
  CHECK(l.kept.in_workspace() == Grid(8192, 8192, k.tile).tiles(), "room for all: every logit is kept");
  const Grid only(8192, 8192, k.tile);
  CHECK(l.kept_tile <= round_up(only.max_rows(), k.panel) * round_up(only.max_columns(), k.strip),
        "without gaps: %ld", (long)l.kept_tile);
  r.gradient = false;
  l = plan(k, 8192, r);
  CHECK(l.kept.in_workspace() == 0 && l.row_values == 0, "loss alone needs neither");
}

// The similarities of one call are cut differently, and their kept tiles lie side by side.
void test_kept_tiles_of_similarities(const Kernels& k) {
  for (int64_t rows : {449, 1000, 4096, 8192, 10000}) {
    const std::vector<Grid> similarities{{rows, rows, k.tile, true}, {rows, rows, k.tile}};
    const WorkspacePlan l = plan_workspace(request(64, 2, int64_t{8} << 30), similarities, k);
    for (const Grid& s : similarities)
      CHECK(l.kept_tile >= round_up(s.max_rows(), k.panel) * round_up(s.max_columns(), k.strip),
            "%s rows=%ld: %ld", k.isa, (long)rows, (long)l.kept_tile);
  }
}

// Fused: as far as the bound goes, every tile row that is worked on has slots for its tiles. With a sigmoid,
// every thread has a slot for one tile.
void test_fused(const Kernels& k) {
  const Grid s(65536, 65536, k.tile);
  for (bool sigmoid : {false, true})
    for (int threads : {1, 2, 7})
      for (int64_t bound : std::initializer_list<int64_t>{0l, 64 * kMiB, 256 * kMiB, 4096 * kMiB}) {
        WorkspaceRequest r = request(256, threads, bound);
        r.gradient_room = {65536, 65536};
        r.fused = true;
        r.needs_row_sums = !sigmoid;
        const WorkspacePlan l = plan(k, 65536, r);
        const int64_t all = s.tile_columns(), slot = l.kept_owners * Workspace::bytes_for(l.kept_tile);
        const int64_t limit = bound ? bound : default_bound(65536, 256);
        CHECK(l.bytes <= limit && l.kept.in_gradients() == 0 && l.kept.in_workspace() == 0, "%ld",
              (long)l.bytes);
        CHECK(l.kept_owners == (sigmoid ? l.threads : l.row_slots), "%ld", (long)l.kept_owners);
        CHECK(l.kept_slots == (sigmoid ? 1 : all) || limit - l.bytes < slot, "%s %ld slots of %ld", k.isa,
              (long)l.kept_slots, (long)all);
        CHECK(l.kept_columns == (sigmoid && l.kept_slots > 0 ? all : l.kept_slots), "%ld",
              (long)l.kept_columns);
        r.fused = false;
        r.gradient_room = {};
        const WorkspacePlan two_passes = plan(k, 65536, r);
        CHECK(l.bytes - l.kept_slots * slot ==
                  two_passes.bytes -
                      two_passes.kept.in_workspace() * Workspace::bytes_for(two_passes.kept_tile),
              "everything else as ever");
      }
}

// Every tile has one place of its own: rows of gradients large enough for it, or a slot.
void test_places(const Kernels& k, int64_t rows, int64_t columns, int64_t dim, int64_t d_rows,
                 int64_t d_columns) {
  const std::vector<Grid> similarities{{rows, columns, k.tile}, {rows, rows, k.tile, true}};
  KeptTiles kept(similarities, {d_rows, d_columns}, dim, k);
  const int64_t tiles = similarities[0].tiles() + similarities[1].tiles(),
                others = tiles - kept.in_gradients();
  kept.keep_in_workspace(others);
  std::set<int64_t> slots;
  int64_t in_gradients = 0;
  for (int p = 0; p < 2; ++p)
    for (int64_t i = 0; i < similarities[p].tile_rows(); ++i)
      for (int64_t j = similarities[p].first_tile_column(i); j < similarities[p].tile_columns(); ++j) {
        const TileIndex c{p, i, j};
        const Range r = similarities[p].rows(i), q = similarities[p].columns(j);
        const int64_t size = kept_stride(r, k) * round_up(q.size(), k.strip);
        const bool in_rows = kept.in_row_gradients(c), in_columns = kept.in_column_gradients(c);
        CHECK(!(in_rows && in_columns), "one place only");
        in_gradients += in_rows || in_columns;
        if (in_rows)
          CHECK(p == 0 && j == 0 && size <= (std::min(r.end, d_rows) - r.begin) * dim, "its own rows");
        if (in_columns)
          CHECK(p == 0 && i == 0 && size <= (std::min(q.end, d_columns) - q.begin) * dim, "its own rows");
        if (!in_rows && !in_columns) slots.insert(kept.workspace_slot(similarities, c));
      }
  CHECK(in_gradients == kept.in_gradients(), "%ld and %ld", (long)in_gradients, (long)kept.in_gradients());
  CHECK(static_cast<int64_t>(slots.size()) == others && *slots.begin() >= 0 && *slots.rbegin() == others - 1,
        "%s %ld x %ld x %ld: slots without gaps", k.isa, (long)rows, (long)columns, (long)dim);
}

void test_places(const Kernels& k) {
  for (int64_t rows : {1, 97, 1000, 4096})
    for (int64_t columns : {1, 449, 1800, 4096})
      for (int64_t dim : {64, 447, 449, 1024})
        for (int64_t room : {0, 600, 5000})
          for (bool first : {false, true})
            test_places(k, rows, columns, dim, first ? std::min(rows, room) : 0, std::min(columns, room));
  const std::vector<Grid> square{{4096, 4096, k.tile}}, triangle{{4096, 4096, k.tile, true}};
  CHECK(KeptTiles(square, {4096, 4096}, 512, k).in_gradients() ==
            square[0].tile_rows() + square[0].tile_columns() - 1,
        "wide rows hold a tile of each block");
  CHECK(KeptTiles(triangle, {4096, 4096}, 512, k).in_gradients() == 0, "a triangle's never do");
}

}  // namespace

int main() {
  for (const Kernels* k : available_kernels()) {
    test_bounds(*k);
    test_default_is_linear(*k);
    test_threads(*k);
    test_priorities(*k);
    test_kept_tiles_of_similarities(*k);
    test_fused(*k);
    test_places(*k);
  }
  return check::summary();
}
