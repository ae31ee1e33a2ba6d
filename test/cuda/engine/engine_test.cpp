// The engine on the CUDA backend against the dense oracle: every problem of engine_cases.h, all three
// precisions, equal bits whatever the block size, and errors. Runs on what INFCL_CUDA_LIBRARY names (in CI
// the emulator), or on the machine's own device with INFCL_TEST_DEVICE set; otherwise there is nothing to run
// on, and it says so.
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "check.h"
#include "core/backends.h"
#include "core/errors.h"
#include "cuda/plan.h"
#include "cuda_engine.h"
#include "device_memory_check.h"
#include "engine_cases.h"

using cases::Case;
using cases::Inputs;
using cases::ObjectiveKind;
using cases::Run;
using infcl::ErrorCode;

namespace {

struct Bounds {
  double loss, gradient;
};

// The largest errors of a group of cases, so that bounds can be set to what is true.
struct Worst {
  double loss = 0, gradient = 0;
  void print(const char* group) const {
    std::printf("%-32s largest error of a loss %.1e, of a gradient %.1e\n", group, loss, gradient);
  }
};

// Bytes of a plan with macro-blocks of one tile, with all operands resident.
int64_t least_resident(const infcl::ContrastiveRequest& r) {
  infcl::cuda::WorkspaceRequest w;
  for (int p = 0; p < r.objective.similarity_count; ++p)
    w.similarities.push_back(infcl::shape_of(r.objective.similarities[p], r.queries.rows, r.keys.rows));
  for (const infcl::MatrixView* m : {&r.queries, &r.keys, &r.hard_negatives})
    if (m->rows > 0) w.matrices.push_back(m->rows);
  w.gradients = w.matrices;
  w.dim = r.queries.dim;
  w.pairs = r.hard_negatives.rows;
  w.planes = r.bfloat16 || r.queries.dtype == infcl::DType::kFloat16 ? 1 : 2;
  return infcl::cuda::plan_workspace(w, {}).resident_minimum;
}

// As the planner likes it, in blocks of one tile, and in slabs of one where that takes less.
void against_oracle(Engine& e, const Case& c, bool bfloat16, Bounds bounds, Worst& worst) {
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.bfloat16 = bfloat16;
  const oracle::Result ref = inputs.solve(c);
  for (const int64_t workspace : {int64_t{0}, least_resident(r), least_workspace(e, r)}) {
    r.workspace_bytes = workspace;
    const Run run = e.run(r);
    const cases::Errors errors = cases::compare(c, run, ref);
    const bool resident = run.result.stats.slabs == 1;
    CHECK(workspace == 0 || run.result.stats.workspace_bytes == workspace, "workspaceBytes=%ld, used %ld",
          static_cast<long>(workspace), static_cast<long>(run.result.stats.workspace_bytes));
    CHECK(resident || workspace == least_workspace(e, r), "%s: %ld slabs", c.name.c_str(),
          static_cast<long>(run.result.stats.slabs));
    CHECK(errors.loss <= bounds.loss && errors.gradient() <= bounds.gradient, "workspaceBytes=%ld %s",
          static_cast<long>(workspace), cases::describe(c, errors).c_str());
    worst.loss = std::fmax(worst.loss, errors.loss);
    worst.gradient = std::fmax(worst.gradient, errors.gradient());
  }
}

// float32 features in two planes of bfloat16: a product loses about 2^-16 of a logit's size, and what a logit
// loses its exponential loses times the scale.
void test_float32(Engine& e) {
  using Group = void (*)(const cases::Visit&);
  const std::pair<const char*, Group> groups[] = {{"shapes", cases::visit_shapes},
                                                  {"objectives", cases::visit_objectives},
                                                  {"options", cases::visit_options},
                                                  {"hard negatives", cases::visit_hard_negatives},
                                                  {"wide ranges", cases::visit_wide_ranges}};
  for (const auto& [name, visit] : groups) {
    Worst worst;
    visit([&](Case c) {
      // a dot off by 1e-6 may fall on the other side of a limit, and then it is another problem that was
      // solved
      c.coarse = c.request.has_margin;
      against_oracle(e, c, false, {1e-5, c.request.logit_scale > 50 ? 1e-3 : 2e-4}, worst);
    });
    worst.print(name);
  }
}

// 16-bit features as they are: their products are exact, but G is rounded to as many bits.
void test_sixteen_bits(Engine& e) {
  const struct {
    const char* name;
    infcl::DType dtype;
    bool bfloat16;
    Bounds bounds;
  } kinds[] = {{"bfloat16", infcl::DType::kBFloat16, true, {1e-5, 1e-2}},
               {"bfloat16, computed in float32", infcl::DType::kBFloat16, false, {1e-5, 2e-4}},
               {"float16", infcl::DType::kFloat16, false, {1e-5, 2e-3}}};
  for (const auto& kind : kinds) {
    Worst worst;
    cases::visit_sixteen_bits(
        kind.dtype, [&](const Case& c) { against_oracle(e, c, kind.bfloat16, kind.bounds, worst); });
    worst.print(kind.name);
  }
}

// First of all, since pinned memory only grows: features of 4 bytes, results of more.
void test_smallest(Engine& e) {
  Worst worst;
  const Case c{"smallest", cases::request(ObjectiveKind::kClip, 10), 1, 1, 1};
  against_oracle(e, c, false, {1e-5, 2e-4}, worst);
}

template <class F>
void expect_error(ErrorCode code, const char* text, F f) {
  const std::string error = error_of(code, f);
  CHECK(std::strstr(error.c_str(), text), "%s", error.c_str());
}

// The least workspace makes many small blocks of what is otherwise one: other sums in another order, but the
// same answer. Twice the same is the same bits.
void test_workspaces(Engine& e) {
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent, ObjectiveKind::kSigLip}) {
    const Case c{"least workspace", cases::request(kind, 20), 300, 300, 70};
    const Inputs inputs(c);
    infcl::ContrastiveRequest r = inputs.request(c);
    const Run whole = e.run(r);
    CHECK(cases::same_bits(whole, e.run(r)), "two runs differ");
    r.workspace_bytes = least_workspace(e, r);
    CHECK(r.workspace_bytes > 0, "%ld", static_cast<long>(r.workspace_bytes));
    const Run least = e.run(r);
    CHECK(least.result.stats.workspace_bytes == r.workspace_bytes, "%ld of %ld",
          static_cast<long>(least.result.stats.workspace_bytes), static_cast<long>(r.workspace_bytes));
    CHECK(whole.result.stats.workspace_bytes > r.workspace_bytes, "a larger block by default");
    const cases::Errors errors = cases::compare(c, least, inputs.solve(c));
    CHECK(errors.loss <= 1e-5 && errors.gradient() <= 2e-4, "%s", cases::describe(c, errors).c_str());
    --r.workspace_bytes;
    expect_error(ErrorCode::kWorkspace, "for workspaceBytes but received", [&] { e.run(r); });
  }
}

// A side that needs no gradient, and keys of which only the first need one.
void test_frozen(Engine& e) {
  const Case c{"frozen", cases::request(ObjectiveKind::kInfoNce, 20), 150, 300, 40};
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  const Run all = e.run(r);
  r.gradient = true;
  const size_t dim = static_cast<size_t>(c.dim);
  std::vector<float> d_keys(130 * dim, 7.f), d_queries(150 * dim, 7.f);
  r.d_keys = d_keys.data();
  r.d_key_rows = 130;
  infcl::contrastive(r, *e.backend);
  CHECK(!std::memcmp(d_keys.data(), all.d_keys.data(), d_keys.size() * sizeof(float)), "first keys");
  r.d_keys = nullptr;
  r.d_key_rows = 0;
  r.d_queries = d_queries.data();
  infcl::contrastive(r, *e.backend);
  CHECK(!std::memcmp(d_queries.data(), all.d_queries.data(), d_queries.size() * sizeof(float)),
        "queries alone");
  r.gradient = false;
  const double loss = infcl::contrastive(r, *e.backend).loss;
  CHECK(loss == all.result.loss, "loss alone %g", loss);
}

void test_errors(Engine& e) {
  const Case c{"errors", cases::request(ObjectiveKind::kClip, 10), 64, 64, 16};
  Inputs inputs(c);
  const infcl::ContrastiveRequest r = inputs.request(c);
  std::vector<float>& keys = inputs.keys.wide.data;
  const std::vector<float> sound = keys;
  keys[33 * 16 + 5] = NAN;
  keys[40 * 16] = INFINITY;
  expect_error(ErrorCode::kNotFinite, "for keys but received NaN or Infinity at row 33, column 5",
               [&] { e.run(r); });
  keys = sound;
  for (float& v : keys) v *= 1e30f;
  for (float& v : inputs.queries.wide.data) v *= 1e30f;
  expect_error(ErrorCode::kNotFinite, "Expected similarities that float32 can hold",
               [&] { e.run(inputs.request(c)); });
  const Inputs fresh(c);
  int32_t words[infcl::Control::kWords] = {1, 0, 0};
  infcl::ContrastiveRequest aborted = fresh.request(c);
  aborted.control.words = words;
  expect_error(ErrorCode::kAborted, "aborted", [&] { e.run(aborted); });
  expect_error(ErrorCode::kDevice, "Expected a device below", [] { infcl::make_cuda_backend(1000, {}); });
  CHECK(std::isfinite(e.run(fresh.request(c)).result.loss), "usable after errors");
}

// Stops between blocks, and not only before the first.
void test_abort_midway(Engine& e) {
  const Case c{"abort", cases::request(ObjectiveKind::kNtXent, 10), 700, 700, 64};
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.workspace_bytes = least_workspace(e, r);
  int32_t words[infcl::Control::kWords] = {};
  r.control.words = words;
  const auto word = [&](int w) { return __atomic_load_n(words + w, __ATOMIC_RELAXED); };
  std::thread watcher([&] {
    while (word(infcl::Control::kDone) < 2) std::this_thread::yield();
    __atomic_store_n(words + infcl::Control::kAbort, 1, __ATOMIC_RELAXED);
  });
  expect_error(ErrorCode::kAborted, "aborted", [&] { e.run(r); });
  watcher.join();
  CHECK(word(infcl::Control::kTotal) > 10 && word(infcl::Control::kDone) < word(infcl::Control::kTotal),
        "%d of %d blocks", word(infcl::Control::kDone), word(infcl::Control::kTotal));
}

// The largest distance between two rows of a gradient.
double largest_change(const std::vector<float>& a, const std::vector<float>& b, int64_t dim) {
  double worst = 0;
  for (size_t row = 0; row < a.size(); row += static_cast<size_t>(dim)) {
    double squares = 0;
    for (size_t at = row; at < row + static_cast<size_t>(dim); ++at) squares += std::pow(a[at] - b[at], 2);
    worst = std::fmax(worst, std::sqrt(squares));
  }
  return worst;
}

// Features that are all but solved: tiles are left out, no row loses more than its share, whatever the block,
// and the loss and the scale's gradient are not the filter's business. Nothing is left out of random ones.
void test_filter(Engine& e) {
  const int64_t rows = 600, dim = 40;
  const double share = 1e-3, scale = 60;
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent, ObjectiveKind::kSigLip})
    for (const bool bfloat16 : {false, true}) {
      const Case c{"filter", cases::request(kind, scale), rows, rows, dim};
      Inputs inputs(c);
      infcl::ContrastiveRequest r = inputs.request(c);
      r.bfloat16 = bfloat16;
      r.gradient_filter = share;
      CHECK(e.run(r).result.stats.tiles_skipped == 0, "nothing is negligible in random features");
      inputs.keys = inputs.queries;
      for (float& v : inputs.keys.wide.data) v += 1e-3f;
      r.keys = inputs.keys.view();
      r.logit_bias = kind == ObjectiveKind::kSigLip ? -50 : 0;
      r.gradient_filter = 0;
      const Run exact = e.run(r);
      r.gradient_filter = share;
      for (const int64_t workspace : {int64_t{0}, least_workspace(e, r)}) {
        r.workspace_bytes = workspace;
        const Run filtered = e.run(r);
        const infcl::Stats& stats = filtered.result.stats;
        CHECK(stats.tiles_skipped > 0 && stats.flops < exact.result.stats.flops, "%ld skipped",
              static_cast<long>(stats.tiles_skipped));
        CHECK(workspace > 0 || filtered.result.loss == exact.result.loss, "loss");
        CHECK(workspace > 0 || filtered.result.logit_scale_grad == exact.result.logit_scale_grad, "scale");
        // a row of ntxent is met as a row and as a column
        const double allowed = (kind == ObjectiveKind::kNtXent ? 2 : 1) * share * scale / rows;
        const double lost = largest_change(filtered.d_queries, exact.d_queries, dim);
        CHECK(lost > 0 && lost <= 1.1 * allowed + (workspace > 0 ? 1e-4 : 0), "a row lost %g of %g", lost,
              allowed);
        if (kind == ObjectiveKind::kNtXent) continue;
        const double lost_keys = largest_change(filtered.d_keys, exact.d_keys, dim);
        CHECK(lost_keys <= 1.1 * allowed + (workspace > 0 ? 1e-4 : 0), "a key lost %g of %g", lost_keys,
              allowed);
      }
    }
}

void test_progress_and_stats(Engine& e) {
  const Case c{"stats", cases::request(ObjectiveKind::kClip, 10), 200, 200, 64};
  const Inputs inputs(c);
  int32_t words[infcl::Control::kWords] = {};
  infcl::ContrastiveRequest r = inputs.request(c);
  r.control.words = words;
  const infcl::Stats stats = e.run(r).result.stats;
  CHECK(
      words[infcl::Control::kTotal] > 0 && words[infcl::Control::kDone] == 2 * words[infcl::Control::kTotal],
      "%d of %d blocks", words[infcl::Control::kDone], words[infcl::Control::kTotal]);
  const char* path = std::getenv("INFCL_CUDA_PATH");
  const char* isa = path && !std::strcmp(path, "sm90") ? "sm_90a " : "sm_";
  CHECK(stats.isa.rfind(isa, 0) == 0 && stats.threads == 0, "%s", stats.isa.c_str());
  CHECK(stats.tiles == 4, "%ld tiles", static_cast<long>(stats.tiles));
  CHECK(stats.flops == 2. * 200 * 200 * 64 * 4, "%g flops", stats.flops);
  infcl::PlanRequest request;
  request.rows = request.keys = 200;
  request.dim = 64;
  const infcl::Plan plan = e.planner->plan(request);
  CHECK(plan.workspace_bytes == stats.workspace_bytes, "planned %ld, used %ld",
        static_cast<long>(plan.workspace_bytes), static_cast<long>(stats.workspace_bytes));
  CHECK(plan.seconds > 0 && plan.flops == stats.flops, "%g", plan.seconds);
}

}  // namespace

int main() {
  if (!std::getenv("INFCL_CUDA_LIBRARY") && !std::getenv("INFCL_TEST_DEVICE")) {
    std::printf("SKIPPED cuda_engine_test: neither INFCL_CUDA_LIBRARY nor INFCL_TEST_DEVICE is set\n");
    return 77;  // ctest shows it as skipped
  }
  const infcl::CudaInfo info = infcl::cuda_info();
  CHECK(info.available && !info.devices.empty(), "%s", info.reason.c_str());
  if (!info.available) return check::summary();
  std::printf("on %s\n", info.devices[0].c_str());
  Engine engine;
  const int64_t free_before = device_memory::free_bytes();
  test_smallest(engine);
  test_errors(engine);
  test_abort_midway(engine);
  test_progress_and_stats(engine);
  test_frozen(engine);
  test_filter(engine);
  test_workspaces(engine);
  test_float32(engine);
  test_sixteen_bits(engine);
  const int64_t lost = free_before - device_memory::free_bytes();
  CHECK(device_memory::is_given_back(lost), "%ld bytes of the device were not given back",
        static_cast<long>(lost));
  return check::summary();
}
