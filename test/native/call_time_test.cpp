// The time of a call from made-up times of kernels: each term of the sum counts what it should count.
#include "cpu/call_time.h"

#include <cmath>

#include "check.h"
#include "cpu/call_cost.h"
#include "cpu/isa_dispatch.h"

using namespace infcl;
using namespace infcl::cpu;

namespace {

struct Shape {
  ObjectiveKind kind;
  int64_t rows, keys, dim;
  bool gradient;
  AuxiliaryDims auxiliary_dims{};
};

// Seconds of one thread, and the plan that they belong to.
struct Timed {
  double seconds = 0, flops = 0;
  WorkspacePlan plan;
};

Timed time_of(const Shape& s, const KernelTimes& times, int running = 1) {
  const Kernels& k = *kKernelTables[0];
  const Objective objective = make_objective(s.kind, s.keys > 0);
  SimilarityShape shapes[Objective::kMaxSimilarities];
  for (int n = 0; n < objective.similarity_count; ++n)
    shapes[n] = shape_of(objective.similarities[n], s.rows, s.keys);
  const std::vector<Grid> grids = cut(shapes, objective.similarity_count, k.tile);
  WorkspaceRequest w;
  w.dim = s.dim;
  w.gradient = s.gradient;
  w.threads = running;
  w.gradient_room = {s.rows, s.keys};
  w.fused = s.gradient && rows_stand_alone(objective);
  w.needs_row_sums = !objective.sigmoid();
  w.auxiliary_dims = s.auxiliary_dims;
  Timed out;
  out.plan = plan_workspace(w, grids, k);
  out.flops = call_flops(grids, s.dim, s.gradient, out.plan) +
              auxiliary_flops(grids, s.auxiliary_dims, s.gradient, out.plan);
  out.seconds =
      call_seconds({objective, s.rows, s.keys, s.dim, s.gradient, grids}, out.plan, running, k, times);
  return out;
}

// What a change of the kernels' times adds to the time of a call: the floors cancel.
double added(const Shape& s, const KernelTimes& times) {
  return time_of(s, times).seconds - time_of(s, {}).seconds;
}

bool near(double a, double b) { return std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b)); }

constexpr ObjectiveKind kKinds[] = {ObjectiveKind::kClip, ObjectiveKind::kInfoNce, ObjectiveKind::kNtXent,
                                    ObjectiveKind::kSupCon, ObjectiveKind::kSigLip};

// Whole granules, so that kernels round nothing up: the products' operations are those of call_flops.
void test_products_are_those_of_the_flops() {
  KernelTimes unit;
  unit.scores.feature = unit.row_gradients.feature = unit.column_gradients.feature = 1e-6;
  for (const ObjectiveKind kind : kKinds)
    for (const bool gradient : {false, true})
      for (const int64_t tiles : {1, 2, 5}) {
        const int64_t rows = tiles * kKernelTables[0]->tile.rows;
        const Shape s{kind, rows, rows, 64, gradient};
        const double expected = time_of(s, unit).flops / 2 * 1e-6;
        CHECK(near(added(s, unit), expected), "kind %d, %ld rows, gradient %d: %g instead of %g", (int)kind,
              (long)rows, gradient, added(s, unit), expected);
      }
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce})
    for (const bool gradient : {false, true})
      for (const AuxiliaryDims& dims : {AuxiliaryDims{48, 0}, AuxiliaryDims{0, 80}, AuxiliaryDims{16, 32}}) {
        const int64_t rows = 3 * kKernelTables[0]->tile.rows;
        const Shape s{kind, rows, rows, 64, gradient, dims};
        const double expected = time_of(s, unit).flops / 2 * 1e-6;
        CHECK(near(added(s, unit), expected), "kind %d, guide %ld, teacher %ld: %g instead of %g", (int)kind,
              (long)dims[0], (long)dims[1], added(s, unit), expected);
      }
}

// A teacher's probabilities are exponentials of their own.
void test_auxiliary_terms() {
  const int64_t rows = 2 * kKernelTables[0]->tile.rows;
  const double pairs = static_cast<double>(rows) * static_cast<double>(rows);
  KernelTimes t;
  t.fold = 1e-6;
  for (const bool gradient : {false, true}) {
    const Shape guided{ObjectiveKind::kClip, rows, rows, 64, gradient, {32, 0}},
        taught{ObjectiveKind::kClip, rows, rows, 64, gradient, {0, 32}};
    CHECK(near(added(guided, t), pairs * 1e-6), "%g", added(guided, t));
    CHECK(near(added(taught, t), 2 * pairs * 1e-6), "%g", added(taught, t));
  }
  t = {};
  t.pack = t.check = 1e-6;
  const Shape plain{ObjectiveKind::kClip, rows, rows, 64, true},
      guided{ObjectiveKind::kClip, rows, rows, 64, true, {32, 0}};
  CHECK(added(guided, t) >= added(plain, t) + 4 * static_cast<double>(rows) * 32 * 1e-6,
        "features of a guide are read and packed");
}

void test_terms() {
  const int64_t rows = 2 * kKernelTables[0]->tile.rows;
  const Shape loss{ObjectiveKind::kClip, rows, rows, 64, false},
      all{ObjectiveKind::kClip, rows, rows, 64, true};
  const double pairs = static_cast<double>(rows) * static_cast<double>(rows);
  KernelTimes t;
  t.fold = 1e-6;
  CHECK(near(added(loss, t), pairs * 1e-6) && near(added(all, t), pairs * 1e-6), "each pair is folded once");
  t = {};
  t.logit_gradients = 1e-6;
  CHECK(added(loss, t) == 0 && near(added(all, t), pairs * 1e-6), "a loss alone has no gradients of logits");
  t = {};
  t.fold_sigmoid = t.sigmoid_gradients = 1e-6;
  CHECK(added(all, t) == 0, "clip has no sigmoid");
  const Shape sigmoid{ObjectiveKind::kSigLip, rows, rows, 64, true};
  CHECK(near(added(sigmoid, t), 2 * pairs * 1e-6), "%g", added(sigmoid, t));
  t = {};
  t.check = 1e-6;
  CHECK(added(loss, t) >= 2 * static_cast<double>(rows) * 64 * 1e-6, "all features are read");
  t = {};
  t.pack = 1e-6;
  CHECK(added(all, t) > 2 * added(loss, t), "a backward pass packs again, and more");
  t = {};
  t.fresh_byte = 1e-6;
  CHECK(added(all, t) >= 2 * static_cast<double>(rows) * 64 * 4 * 1e-6, "gradients are new memory");
}

// A tile of one row costs its kernels a whole panel.
void test_few_rows_are_rounded_up() {
  KernelTimes t;
  t.scores.feature = 1e-6;
  const int64_t panel = kKernelTables[0]->panel, keys = 4 * kKernelTables[0]->tile.columns;
  const double one = added({ObjectiveKind::kInfoNce, 1, keys, 64, false}, t),
               full = added({ObjectiveKind::kInfoNce, panel, keys, 64, false}, t);
  CHECK(near(one, full), "%g and %g", one, full);
}

void test_threads() {
  KernelTimes t;
  t.scores.feature = 1e-6;
  const Shape s{ObjectiveKind::kClip, 8 * kKernelTables[0]->tile.rows, 8 * kKernelTables[0]->tile.rows, 64,
                true};
  const double one = time_of(s, t, 1).seconds, four = time_of(s, t, 4).seconds;
  CHECK(four > one / 4 && four < one / 3, "%g on one thread, %g on four", one, four);
}

}  // namespace

int main() {
  test_products_are_those_of_the_flops();
  test_terms();
  test_auxiliary_terms();
  test_few_rows_are_rounded_up();
  test_threads();
  return check::summary();
}
