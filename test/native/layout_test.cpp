// The spending of scratch memory: bounds are kept, priorities hold, and linear growth is really linear.
#include "cpu/layout.h"

#include "check.h"
#include "cpu/isa_dispatch.h"

using namespace infcl;

namespace {

constexpr int64_t kMiB = 1 << 20;

Layout layout(const Kernels& k, int64_t rows, LayoutRequest r) {
  return make_layout(r, {Schedule(rows, rows, k.cell)}, k);
}

void test_bounds(const Kernels& k) {
  for (int64_t rows : {1, 100, 448, 5000, 65536, 4194304})
    for (int64_t dim : {1, 64, 768})
      for (int64_t bound : {0l, 16 * kMiB, 64 * kMiB, 1024 * kMiB}) {
        const LayoutRequest r{dim, true, true, 4, bound};
        const Layout l = layout(k, rows, r);
        const int64_t limit = bound ? bound : default_bound(rows, dim);
        if (l.minimum_bytes > limit) continue;
        CHECK(l.bytes <= limit, "%s rows=%ld dim=%ld bound=%ld: %ld", k.isa, (long)rows, (long)dim,
              (long)bound, (long)l.bytes);
        CHECK(l.bytes >= l.minimum_bytes || l.key_buffer == 0, "rows=%ld dim=%ld", (long)rows, (long)dim);
        CHECK(l.threads >= 1 && l.threads <= 4, "%d", l.threads);
      }
}

void test_default_is_linear(const Kernels& k) {
  // The promise of docs/performance.md: 1.6 x rows x dim x 4 bytes and a constant.
  for (int64_t rows : {16384, 65536, 262144}) {
    const Layout l = layout(k, rows, {256, true, true, 2, 0});
    CHECK(l.bytes <= 16 * rows * 256 * 4 / 10 + 64 * kMiB, "rows=%ld: %ld", (long)rows, (long)l.bytes);
    CHECK(l.packed_blocks * k.cell.columns >= rows && l.key_buffer == 0, "rows=%ld: keys stay packed",
          (long)rows);
  }
}

void test_priorities(const Kernels& k) {
  LayoutRequest r{512, true, true, 2, 0};
  r.bound = layout(k, 8192, {512, true, true, 1, 1}).minimum_bytes;
  Layout l = layout(k, 8192, r);
  CHECK(l.threads == 1 && l.packed_blocks == 0 && l.kept_cells == 0, "tightest bound: one thread, no luxury");
  r.bound = int64_t{8} << 30;
  l = layout(k, 8192, r);
  CHECK(l.kept_cells == Schedule(8192, 8192, k.cell).cells(), "room for all: every logit is kept");
  const Schedule only(8192, 8192, k.cell);
  CHECK(l.kept_cell <= round_up(only.max_rows(), k.panel) * round_up(only.max_columns(), k.strip),
        "without gaps: %ld", (long)l.kept_cell);
  r.keep_logits = false;
  CHECK(layout(k, 8192, r).kept_cells == 0, "unless it may not");
  r.keep_logits = true;
  r.gradient = false;
  l = layout(k, 8192, r);
  CHECK(l.kept_cells == 0 && l.query_values == 0, "loss alone needs neither");
}

// The passes of one call are cut differently, and their kept cells lie side by side.
void test_kept_cells_of_passes(const Kernels& k) {
  for (int64_t rows : {449, 1000, 4096, 8192, 10000}) {
    const std::vector<Schedule> passes{{rows, rows, k.cell, true}, {rows, rows, k.cell}};
    const Layout l = make_layout({64, true, true, 2, int64_t{8} << 30}, passes, k);
    for (const Schedule& s : passes)
      CHECK(l.kept_cell >= kept_stride(s, k) * round_up(s.max_columns(), k.strip) &&
                kept_stride(s, k) >= s.max_rows(),
            "%s rows=%ld: %ld", k.isa, (long)rows, (long)l.kept_cell);
  }
}

}  // namespace

int main() {
  for (const Kernels* k : available_kernels()) {
    test_bounds(*k);
    test_default_is_linear(*k);
    test_priorities(*k);
    test_kept_cells_of_passes(*k);
  }
  return check::summary();
}
