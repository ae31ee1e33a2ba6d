// The planner of the CUDA backend: blocks that fit, cover every pair once and keep the device busy; memory
// within its bound; and the choice of kernel images.
#include "core/plan.h"

#include <vector>

#include "check.h"
#include "core/grid.h"
#include "cuda/kernel_images.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/plan.h"

using infcl::Grid;
using infcl::SimilarityShape;
using namespace infcl::cuda;

namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr DeviceLimits kH100{132, 50 * kMiB, 80 * 1024 * kMiB}, kSmall{16, 4 * kMiB, 4 * 1024 * kMiB};

WorkspaceRequest request(int64_t rows, int64_t columns, int64_t dim, bool triangle = false) {
  WorkspaceRequest r;
  r.similarities = {{rows, columns, triangle}};
  r.matrices = triangle ? std::vector<int64_t>{rows} : std::vector<int64_t>{rows, columns};
  r.gradients = r.matrices;
  r.dim = dim;
  r.planes = 2;
  return r;
}

int64_t sum_of(const WorkspacePlan& p, int planes) {
  int64_t bytes = p.vectors + p.staging + p.findings + planes * p.g_plane + p.row_partials +
                  p.column_partials + p.tile_sums + p.slots * (planes * p.slot_plane + p.slot_sums);
  for (const int64_t b : p.plane_bytes) bytes += planes * b;
  for (const int64_t b : p.gradient_bytes) bytes += b;
  return bytes;
}

void test_shapes_and_bounds() {
  for (const DeviceLimits& device : {kH100, kSmall})
    for (const int64_t rows : {1, 127, 128, 129, 5000, 8193, 65536})
      for (const int64_t columns : {1, 300, 32768})
        for (const int64_t dim : {1, 64, 65, 768})
          for (const int64_t bound : {int64_t{0}, 300 * kMiB, 2048 * kMiB}) {
            WorkspaceRequest r = request(rows, columns, dim);
            r.bound = bound;
            const WorkspacePlan p = plan_workspace(r, device);
            const Grid& g = p.grids[0];
            const MacroBlockSize b = macro_block_of(g);
            CHECK(p.total == sum_of(p, r.planes), "%ld is not the sum of its parts", (long)p.total);
            CHECK(b.rows % kTile == 0 && b.columns % kTile == 0 && b.rows > 0, "%ld x %ld", (long)b.rows,
                  (long)b.columns);
            CHECK((g.tile_rows() - 1) * b.rows < rows && g.tile_rows() * b.rows >= rows,
                  "rows=%ld in blocks of %ld", (long)rows, (long)b.rows);
            CHECK(p.padded_dim % kDimAlignment == 0 && p.padded_dim >= dim, "%ld", (long)p.padded_dim);
            if (p.slabs.rows == 0)
              CHECK(p.plane_bytes[0] == infcl::round_up(rows, kTile) * p.padded_dim * 2, "%ld",
                    (long)p.plane_bytes[0]);
            CHECK(p.g_plane >= b.rows * b.columns * 2, "%ld", (long)p.g_plane);
            CHECK(p.minimum <= p.total, "minimum %ld of %ld", (long)p.minimum, (long)p.total);
            const int64_t limit = bound ? std::min(bound, device.free_bytes) : device.free_bytes;
            CHECK(p.total <= limit || p.total == p.minimum, "rows=%ld columns=%ld dim=%ld: %ld above %ld",
                  (long)rows, (long)columns, (long)dim, (long)p.total, (long)limit);
          }
}

void test_tight_bound() {
  WorkspaceRequest r = request(10000, 10000, 256);
  r.bound = 1;
  const WorkspacePlan least = plan_workspace(r, kH100);
  CHECK(least.total == least.minimum && least.minimum > 1, "%ld", (long)least.total);
  CHECK(macro_block_of(least.grids[0]).rows == kTile && macro_block_of(least.grids[0]).columns == kTile,
        "blocks of one tile");
  r.bound = least.minimum;
  CHECK(plan_workspace(r, kH100).total == least.minimum, "its own minimum suffices");
  r.bound = least.minimum + 20 * kMiB;
  const WorkspacePlan more = plan_workspace(r, kH100);
  const MacroBlockSize larger = macro_block_of(more.grids[0]);
  CHECK(more.total <= r.bound && larger.rows * larger.columns > kTile * kTile, "room is used");
  r.bound = least.resident_minimum;
  const WorkspacePlan resident = plan_workspace(r, kH100);
  CHECK(resident.total == r.bound && resident.slots == 0 && resident.slab_count == 1, "all fits, just");
  CHECK(resident.macro_block.rows == kTile && resident.macro_block.columns == kTile, "in blocks of one tile");
  --r.bound;
  CHECK(plan_workspace(r, kH100).slab_count > 1, "a byte less, and it comes in slabs");
}

// Whatever the device has: within it, at least one slab held and two passing, no block beyond its slabs,
// and no slab where all fits.
void test_slabs() {
  for (const int64_t rows : {1000, 30000, 1000000})
    for (const int64_t columns : {700, 30000, 5000000})
      for (const int64_t dim : {64, 768})
        for (const int64_t free : {100 * kMiB, 900 * kMiB, 20000 * kMiB}) {
          const DeviceLimits device{64, 4 * kMiB, free};
          const WorkspaceRequest r = request(rows, columns, dim);
          const WorkspacePlan p = plan_workspace(r, device);
          CHECK(p.total == sum_of(p, r.planes), "%ld is not the sum of its parts", (long)p.total);
          if (p.slabs.rows == 0) {
            CHECK(p.slots == 0 && p.slab_count == 1 && p.total <= free, "%ld of %ld", (long)p.total,
                  (long)free);
            continue;
          }
          CHECK(p.plane_bytes.empty() && p.gradient_bytes.empty(), "nothing is resident");
          CHECK(p.resident_minimum + 100 * kMiB > free - free / 8, "all of it would fit: %ld of %ld",
                (long)p.resident_minimum, (long)free);
          if (p.minimum > free - free / 8) continue;  // vectors alone do not fit
          CHECK(p.total <= free, "%ld of %ld", (long)p.total, (long)free);
          CHECK(p.slots >= 3 && p.slabs.held == p.slots - 2, "%ld slots", (long)p.slots);
          CHECK(p.slabs.rows % kTile == 0 && p.slot_plane == p.slabs.rows * p.padded_dim * 2, "%ld",
                (long)p.slabs.rows);
          CHECK(p.slab_count == infcl::ceil_div(std::max(rows, columns), p.slabs.rows), "%ld slabs",
                (long)p.slab_count);
          CHECK(p.macro_block.rows <= p.slabs.rows && p.macro_block.columns <= p.slabs.rows, "%ld x %ld",
                (long)p.macro_block.rows, (long)p.macro_block.columns);
          CHECK(count_macro_blocks(r.similarities[0], p) > 0, "blocks");
        }
}

// Every visit's blocks fit the memory of the largest.
void test_blocks_of_slabs() {
  for (const int64_t rows : {1000, 2222, 9000})
    for (const int64_t bound : {8 * kMiB, 16 * kMiB, 40 * kMiB}) {
      WorkspaceRequest r = request(rows, rows, 500);
      r.similarities = {{rows, rows, false}, {rows, rows, true}};
      r.bound = bound;
      const WorkspacePlan p = plan_workspace(r, kH100);
      if (p.slabs.rows == 0) continue;
      for (const SimilarityShape& similarity : r.similarities) {
        int64_t blocks = 0;
        for (const SlabVisit& v : slab_visits(similarity, p.slabs, HeldSide::kRows)) {
          const Grid g = make_grid({v.rows.size(), v.columns.size(), v.triangle}, p.macro_block);
          const MacroBlockSize b = macro_block_of(g);
          CHECK(b.rows * b.columns * 2 <= p.g_plane, "%ld x %ld", (long)b.rows, (long)b.columns);
          CHECK(b.rows <= p.macro_block.rows && b.columns <= p.macro_block.columns, "partial sums fit");
          blocks += g.tiles();
        }
        CHECK(blocks == count_macro_blocks(similarity, p), "%ld blocks", (long)blocks);
      }
    }
}

// With plenty of memory most of it holds slabs, and slabs are large.
void test_plenty() {
  const WorkspacePlan p = plan_workspace(request(40000000, 40000000, 1024), kH100);
  CHECK(p.slots >= 12 && p.slabs.rows >= 4096 && p.total > 70 * 1024 * kMiB, "%ld slots of %ld rows",
        (long)p.slots, (long)p.slabs.rows);
  CHECK(p.macro_block.rows * p.macro_block.columns >= 4096 * 4096, "%ld x %ld", (long)p.macro_block.rows,
        (long)p.macro_block.columns);
}

// Every block of a triangle is square and lies on its diagonal or right of it; together they hold each
// pair once.
void test_triangles() {
  for (const int64_t rows : {1, 128, 129, 4097, 40000}) {
    WorkspaceRequest r = request(rows, rows, 512, true);
    const Grid g = plan_workspace(r, kH100).grids[0];
    const MacroBlockSize b = macro_block_of(g);
    CHECK(g.triangle() && b.rows == b.columns, "%ld x %ld", (long)b.rows, (long)b.columns);
    int64_t blocks = 0;
    for (int64_t i = 0; i < g.tile_rows(); ++i) blocks += g.tile_columns() - g.first_tile_column(i);
    CHECK(blocks == g.tiles(), "%ld blocks", (long)blocks);
  }
  WorkspaceRequest ntxent = request(9000, 9000, 128);
  ntxent.similarities = {{9000, 9000, false}, {9000, 9000, true}, {9000, 9000, true}};
  const WorkspacePlan p = plan_workspace(ntxent, kH100);
  CHECK(p.grids.size() == 3, "%zu", p.grids.size());
  for (const Grid& g : p.grids)
    CHECK(macro_block_of(g).rows * macro_block_of(g).columns * 2 <= p.g_plane,
          "every similarity fits the block's memory");
}

void test_efficiency() {
  CHECK(wave_efficiency(132, 132) == 1 && wave_efficiency(133, 132) < 0.51, "a wave, and one tile more");
  for (const int64_t dim : {256, 512, 768, 1536}) {
    const MacroBlockSize b = macro_block_of(plan_workspace(request(32768, 32768, dim), kH100).grids[0]);
    const int64_t tiles = (b.rows / kTile) * (b.columns / kTile);
    CHECK(wave_efficiency(tiles, kH100.multiprocessors) > 0.9, "dim=%ld: %ld x %ld", (long)dim, (long)b.rows,
          (long)b.columns);
    const int64_t gradient_tiles = (b.rows + b.columns) / kTile * infcl::ceil_div(dim, kTile);
    CHECK(wave_efficiency(gradient_tiles, kH100.multiprocessors) > 0.8, "dim=%ld: %ld gradient tiles",
          (long)dim, (long)gradient_tiles);
  }
}

void test_loss_alone() {
  WorkspaceRequest r = request(20000, 20000, 768);
  const WorkspacePlan with = plan_workspace(r, kH100);
  r.gradient = false;
  r.gradients.clear();
  const WorkspacePlan without = plan_workspace(r, kH100);
  CHECK(without.g_plane == 0 && without.gradient_bytes.empty() && without.total < with.total / 2,
        "%ld of %ld", (long)without.total, (long)with.total);
  r.planes = 1;
  CHECK(plan_workspace(r, kH100).total < without.total, "one plane is less than two");
  // 64-bit sizes all the way
  const WorkspacePlan huge = plan_workspace(request(int64_t{1} << 23, int64_t{1} << 23, 1024), kH100);
  CHECK(huge.resident_minimum > (int64_t{1} << 36), "%ld", (long)huge.resident_minimum);
}

// Up to the largest shapes that plan() lets through, on no, little and much memory: sizes of 64 bits.
void test_largest_shapes() {
  for (int64_t rows = 1; rows <= infcl::kMostFeatures / 2; rows *= 8)
    for (int64_t dim = 1; 2 * rows * dim <= infcl::kMostFeatures; dim *= 16)
      for (const bool triangle : {false, true})
        for (const int64_t free : {int64_t{0}, 100 * kMiB, int64_t{1} << 38})
          for (const int64_t bound : {int64_t{0}, int64_t{1}, (int64_t{1} << 53) - 1}) {
            WorkspaceRequest r = request(rows, rows, dim, triangle);
            r.bound = bound;
            const WorkspacePlan p = plan_workspace(r, {64, 4 * kMiB, free});
            CHECK(p.minimum > 0 && p.total >= p.minimum && p.vectors > 0 && p.slab_count > 0,
                  "%ld x %ld on %ld bytes: %ld, at least %ld", (long)rows, (long)dim, (long)free,
                  (long)p.total, (long)p.minimum);
            CHECK(p.slab_count <= 1024, "%ld rows in %ld slabs", (long)rows, (long)p.slab_count);
          }
}

void test_images() {
  const unsigned char none = 0;
  const std::vector<KernelImage> images = {
      {"a.cu", "80", true, &none},   {"a.cu", "80", false, &none}, {"a.cu", "86", false, &none},
      {"a.cu", "90a", false, &none}, {"b.cu", "80", false, &none},
  };
  const auto names = [&](int capability) {
    std::string all;
    for (const ImageTarget& t : targets_for(images, capability)) all += (t.ptx ? "ptx" : "sm") + t.name + " ";
    return all;
  };
  CHECK(names(80) == "sm80 ptx80 ", "%s", names(80).c_str());
  CHECK(names(86) == "sm86 sm80 ptx80 ", "%s", names(86).c_str());
  CHECK(names(89) == "sm86 sm80 ptx80 ", "%s", names(89).c_str());
  CHECK(names(90) == "sm90a ptx80 ", "%s", names(90).c_str());
  CHECK(names(103) == "ptx80 ", "%s", names(103).c_str());
  CHECK(names(75).empty(), "%s", names(75).c_str());
}

// PTX of Hopper is there for Hopper's own sources alone. The other sources come from PTX of an earlier
// target, never from machine code.
void test_images_of_several_targets() {
  const unsigned char none = 0;
  const std::vector<KernelImage> images = {
      {"a.cu", "80", true, &none},        {"a.cu", "80", false, &none},
      {"b.cu", "80", true, &none},        {"b.cu", "80", false, &none},
      {"a_sm90.cu", "90a", true, &none},  {"b_sm90.cu", "90a", true, &none},
      {"b_sm90.cu", "90a", false, &none}, {"a.cu", "90a", false, &none},
  };
  const auto names = [&](int capability, size_t skipped) {
    std::vector<ImageTarget> targets = targets_for(images, capability);
    targets.erase(targets.begin(), targets.begin() + skipped);
    std::string all;
    for (const KernelImage* i : images_for(images, targets))
      all += std::string(i->source) + (i->ptx ? ":ptx" : ":sm") + i->target + " ";
    return all;
  };
  CHECK(names(80, 0) == "a.cu:sm80 b.cu:sm80 ", "%s", names(80, 0).c_str());
  CHECK(names(80, 1) == "a.cu:ptx80 b.cu:ptx80 ", "%s", names(80, 1).c_str());
  CHECK(names(90, 0) == "b_sm90.cu:sm90a a.cu:sm90a ", "%s", names(90, 0).c_str());
  CHECK(names(90, 1) == "a_sm90.cu:ptx90a b_sm90.cu:ptx90a a.cu:ptx80 b.cu:ptx80 ", "%s",
        names(90, 1).c_str());
  CHECK(names(90, 2) == "a.cu:ptx80 b.cu:ptx80 ", "%s", names(90, 2).c_str());
  CHECK(names(120, 0) == "a.cu:ptx80 b.cu:ptx80 ", "%s", names(120, 0).c_str());
  CHECK(names(75, 0).empty(), "%s", names(75, 0).c_str());
}

}  // namespace

int main() {
  test_shapes_and_bounds();
  test_tight_bound();
  test_slabs();
  test_blocks_of_slabs();
  test_plenty();
  test_triangles();
  test_efficiency();
  test_loss_alone();
  test_largest_shapes();
  test_images();
  test_images_of_several_targets();
  return check::summary();
}
