// The cost of a call is known without a visit of its tiles. Held to the sum over all visited tiles, on ragged
// shapes, triangles and every way to keep logits; and shapes of any size are planned at once or refused.
#include "cpu/call_cost.h"

#include <cmath>
#include <random>

#include "check.h"
#include "core/backends.h"
#include "core/errors.h"
#include "core/plan.h"
#include "cpu/isa_dispatch.h"

using namespace infcl;
using namespace infcl::cpu;

namespace {

// The definition: a visit of each tile.
double visited_flops(const std::vector<Grid>& similarities, int64_t dim, bool gradient,
                     const WorkspacePlan& plan) {
  double pairs = 0;
  for (int p = 0; p < static_cast<int>(similarities.size()); ++p) {
    const Grid& s = similarities[static_cast<size_t>(p)];
    for (int64_t i = 0; i < s.tile_rows(); ++i)
      for (int64_t j = s.first_tile_column(i); j < s.tile_columns(); ++j) {
        const bool kept = j < plan.kept_columns || plan.kept.holds(similarities, {p, i, j});
        const bool diagonal = s.triangle() && i == j;
        const int products = gradient ? 4 - (kept ? 1 : 0) - (diagonal ? 1 : 0) : 1;
        pairs += static_cast<double>(products * s.rows(i).size() * s.columns(j).size());
      }
  }
  return 2 * pairs * static_cast<double>(dim);
}

struct Shape {
  ObjectiveKind kind;
  int64_t rows, keys, dim;
};

std::vector<Grid> grids_of(const Shape& shape, const Kernels& k) {
  const Objective o = make_objective(shape.kind, shape.keys > 0);
  SimilarityShape similarities[Objective::kMaxSimilarities];
  for (int p = 0; p < o.similarity_count; ++p)
    similarities[p] = shape_of(o.similarities[p], shape.rows, shape.keys);
  return cut(similarities, o.similarity_count, k.tile);
}

// Under many bounds, so that every number of tiles is kept somewhere: none, some of a column, all.
void compare(const Shape& shape, const Kernels& k, const GradientRoom& room) {
  const std::vector<Grid> similarities = grids_of(shape, k);
  const bool stands_alone = rows_stand_alone(make_objective(shape.kind, shape.keys > 0));
  WorkspaceRequest r;
  r.dim = shape.dim;
  r.bound = 1;
  const WorkspacePlan least = plan_workspace(r, similarities, k);
  r.bound = int64_t{1} << 40;
  const WorkspacePlan most = plan_workspace(r, similarities, k);
  r.threads = 2;
  r.gradient_room = room;
  r.needs_row_sums = shape.kind != ObjectiveKind::kSigLip;
  constexpr int kBounds = 23;
  for (int step = 0; step <= kBounds; ++step) {
    const int64_t bound = least.bytes + (most.bytes - least.bytes) * step / kBounds;
    for (const bool gradient : {false, true})
      for (const bool fused : {false, stands_alone}) {
        r.bound = bound;
        r.gradient = gradient;
        r.fused = fused;
        const WorkspacePlan l = plan_workspace(r, similarities, k);
        const double visited = visited_flops(similarities, shape.dim, gradient, l);
        const double known = call_flops(similarities, shape.dim, gradient, l);
        CHECK(known == visited, "%s kind %d, %ld x %ld x %ld in %ld bytes: %.17g, visited %.17g", k.isa,
              static_cast<int>(shape.kind), (long)shape.rows, (long)shape.keys, (long)shape.dim, (long)bound,
              known, visited);
      }
  }
}

void test_against_a_visit(const Kernels& k) {
  std::mt19937 random(7);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce, ObjectiveKind::kNtXent,
                                   ObjectiveKind::kSupCon, ObjectiveKind::kSigLip})
    for (int round = 0; round < 30; ++round) {
      const int64_t rows = 1 + below(round % 2 ? 600 : 9000), dim = 1 + below(1000);
      const bool paired = kind != ObjectiveKind::kInfoNce && kind != ObjectiveKind::kSigLip;
      const bool alone = kind == ObjectiveKind::kSupCon && round % 3 == 0;
      const int64_t keys = alone ? 0 : paired ? rows : rows + below(3000);
      const int64_t d_rows = round % 4 ? rows : below(rows + 1);
      const int64_t d_columns = round % 4 ? keys : below(keys + 1);
      compare({kind, rows, keys, dim}, k, {d_rows, d_columns});
    }
}

// Blocks that only some cuts have: one row, a last one of one row, one granule.
void test_edges(const Kernels& k) {
  const int64_t tile = k.tile.rows, granule = k.tile.row_granule;
  for (const int64_t rows : {int64_t{1}, granule - 1, granule, granule + 1, tile - 1, tile, tile + 1,
                             2 * tile + 1, 9 * tile - 1, 13 * tile + granule + 1})
    for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent})
      for (const int64_t dim : {int64_t{3}, tile, 2 * tile})
        compare({kind, rows, rows, dim}, k, {rows, rows});
}

PlanRequest request(ObjectiveKind kind, int64_t rows, int64_t keys, int64_t dim) {
  PlanRequest r;
  r.objective = make_objective(kind, keys > 0);
  r.rows = rows;
  r.keys = keys;
  r.dim = dim;
  return r;
}

// A visit of these tiles would take from minutes to longer than the earth is old.
void test_any_size() {
  const std::unique_ptr<Planner> planner = make_cpu_planner({});
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce, ObjectiveKind::kNtXent,
                                   ObjectiveKind::kSupCon, ObjectiveKind::kSigLip})
    for (int64_t rows = 1; rows <= kMostFeatures / 2; rows *= 8)
      for (int64_t dim = 1; 2 * rows * dim <= kMostFeatures; dim *= 128)
        for (const int threads : {0, 1024})
          for (const int64_t bound : {int64_t{0}, (int64_t{1} << 53) - 1}) {
            PlanRequest r = request(kind, rows, rows, dim);
            r.threads = threads;
            r.workspace_bytes = bound;
            const Plan p = plan(r, *planner);
            const double pairs = static_cast<double>(rows) * static_cast<double>(rows);
            CHECK(p.flops >= 4 * pairs * static_cast<double>(dim) && std::isfinite(p.flops), "%ld x %ld: %g",
                  (long)rows, (long)dim, p.flops);
            CHECK(p.workspace_bytes >= p.lse_bytes && p.lse_bytes > 0 && p.minimum_workspace_bytes > 0 &&
                      p.threads >= 1 && p.seconds > 0 && std::isfinite(p.seconds),
                  "%ld x %ld: %ld bytes, of them %ld, at least %ld", (long)rows, (long)dim,
                  (long)p.workspace_bytes, (long)p.lse_bytes, (long)p.minimum_workspace_bytes);
            if (bound > 0 && p.minimum_workspace_bytes <= bound)
              CHECK(p.workspace_bytes <= bound, "%ld x %ld", (long)rows, (long)dim);
          }
}

void test_refusals() {
  const std::unique_ptr<Planner> planner = make_cpu_planner({});
  const int64_t most = (int64_t{1} << 53) - 1;
  for (const PlanRequest& r :
       {request(ObjectiveKind::kClip, 0, 0, 1), request(ObjectiveKind::kClip, -1, 1, 1),
        request(ObjectiveKind::kClip, 1, -1, 1), request(ObjectiveKind::kClip, 1, 1, 0),
        request(ObjectiveKind::kClip, most, most, most), request(ObjectiveKind::kInfoNce, 1, most, 1),
        request(ObjectiveKind::kClip, 1000, 1000, most), request(ObjectiveKind::kSupCon, most, 0, 1),
        request(ObjectiveKind::kClip, INT64_MAX, INT64_MAX, INT64_MAX)}) {
    try {
      plan(r, *planner);
      CHECK(false, "%ld rows, %ld keys, dim %ld were planned", (long)r.rows, (long)r.keys, (long)r.dim);
    } catch (const Error& e) {
      CHECK(e.code() == ErrorCode::kShape, "%s", e.what());
    }
  }
  CHECK(plan(request(ObjectiveKind::kSupCon, kMostFeatures, 0, 1), *planner).flops > 0, "the most there is");
}

}  // namespace

int main() {
  for (const Kernels* k : available_kernels()) {
    test_against_a_visit(*k);
    test_edges(*k);
  }
  test_any_size();
  test_refusals();
  return check::summary();
}
