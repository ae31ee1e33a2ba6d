#include "check_device.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "check.h"
#include "clock.h"
#include "core/backends.h"
#include "core/errors.h"
#include "cuda/driver/device.h"
#include "cuda/driver/memory.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/plan.h"
#include "device_memory_check.h"
#include "engine_run.h"
#include "unit_rows.h"

namespace infcl::bench {

namespace {

struct Sizes {
  int calls;
  int64_t call_rows, call_dim;    // of each of many calls
  int64_t abort_rows, abort_dim;  // of the one that is stopped
  bool least_workspace;           // else too few blocks to be stopped between
};
constexpr Sizes kFull{100, 2048, 256, 65536, 768, false}, kQuick{4, 130, 64, 600, 64, true};

ContrastiveRequest clip(const Features& queries, const Features& keys) {
  ContrastiveRequest r;
  r.queries = queries.view();
  r.keys = keys.view();
  r.objective = make_objective(ObjectiveKind::kClip);
  r.logit_scale = 1 / 0.07;
  return r;
}

class DeviceCheck {
 public:
  explicit DeviceCheck(const Sizes& sizes) : sizes_(sizes) {}

  // Three chances to lose none, since other programs take memory too.
  void check_leaks() {
    const Features queries(sizes_.call_rows, sizes_.call_dim, DType::kFloat32, 1);
    const Features keys(sizes_.call_rows, sizes_.call_dim, DType::kFloat32, 2);
    ContrastiveRequest r = clip(queries, keys);
    cases::run(*backend_, r);
    int64_t lost = 0;
    for (int chance = 0; chance < 3; ++chance) {
      const int64_t before = device_memory::free_bytes();
      for (int call = 0; call < sizes_.calls; ++call) {
        r.bfloat16 = call % 2 == 1;
        cases::run(*backend_, r);
      }
      lost = before - device_memory::free_bytes();
      if (device_memory::is_given_back(lost)) break;
    }
    const bool sound = device_memory::is_given_back(lost);
    std::printf("%s %d calls: %ld bytes of the device not given back; %s\n", sound ? "ok  " : "BAD ",
                sizes_.calls, static_cast<long>(lost), device_memory::rule());
    CHECK(sound, "%ld bytes", static_cast<long>(lost));
  }

  void check_abort() {
    const Features queries(sizes_.abort_rows, sizes_.abort_dim, DType::kFloat32, 1);
    const Features keys(sizes_.abort_rows, sizes_.abort_dim, DType::kFloat32, 2);
    ContrastiveRequest r = clip(queries, keys);
    // Blocks of one tile.
    if (sizes_.least_workspace)
      r.workspace_bytes = least_plan(sizes_.abort_rows, sizes_.abort_dim).resident_minimum;
    int32_t words[Control::kWords] = {};
    r.control.words = words;
    const Stats whole = cases::run(*backend_, r).result.stats;
    const double block = whole.backward_seconds / words[Control::kTotal];
    double seconds = -1;
    for (int chance = 0; chance < 3 && seconds < 0; ++chance) seconds = time_to_abort(r);
    // Three blocks are on their way when the abort comes; the rest is for copies and for other tenants.
    const double bound = std::fmax(0.25, 6 * block);
    const bool stopped = seconds >= 0 && seconds <= bound;
    std::printf("%s abort: %.1f ms from the word to the error, in a call of %.0f ms and %d blocks a pass\n",
                stopped ? "ok  " : "BAD ", 1e3 * seconds, 1e3 * whole.seconds, words[Control::kTotal]);
    CHECK(stopped, "%.3f s, at most %.3f", seconds, bound);
  }

  // Sums in another order: what differs are last bits.
  void check_slabs() {
    const Features queries(sizes_.abort_rows, sizes_.abort_dim, DType::kFloat32, 1);
    const Features keys(sizes_.abort_rows, sizes_.abort_dim, DType::kFloat32, 2);
    ContrastiveRequest r = clip(queries, keys);
    const cases::Run whole = cases::run(*backend_, r);
    const cuda::WorkspacePlan least = least_plan(sizes_.abort_rows, sizes_.abort_dim);
    r.workspace_bytes = std::max(least.minimum, least.resident_minimum / 3);
    const cases::Run slabs = cases::run(*backend_, r);
    const double loss = std::fabs(slabs.result.loss - whole.result.loss) / whole.result.loss;
    const double gradient = std::fmax(largest_difference(slabs.d_queries, whole.d_queries),
                                      largest_difference(slabs.d_keys, whole.d_keys));
    const bool equal = loss <= 1e-6 && gradient <= 1e-4 && slabs.result.stats.slabs > 1;
    std::printf("%s %ld slabs a side: loss off by %.1e, gradients by %.1e; %.0f ms, whole %.0f ms\n",
                equal ? "ok  " : "BAD ", static_cast<long>(slabs.result.stats.slabs), loss, gradient,
                1e3 * slabs.result.stats.seconds, 1e3 * whole.result.stats.seconds);
    CHECK(equal, "%ld slabs: loss %.1e gradient %.1e", static_cast<long>(slabs.result.stats.slabs), loss,
          gradient);
  }

  // Refused by the planner, and by the driver; and the backend goes on working.
  void check_out_of_memory() {
    const int64_t total = device_memory_info(0).total;
    // Two planes of a tile of rows a side, which is also the smallest slab. Neither matrix is read.
    const int64_t rows = 1, dim = 2 * total / (2 * 2 * cuda::kTile * 2);
    const std::vector<float> row(static_cast<size_t>(dim) + 1, 0.f);
    ContrastiveRequest r;
    r.queries = r.keys = {row.data(), DType::kFloat32, rows, dim, dim, {}};
    r.keys.data = row.data() + 1;
    r.objective = make_objective(ObjectiveKind::kClip);
    expect_out_of_memory("a call twice the memory", [&] { contrastive(r, *backend_); });
    expect_out_of_memory("an allocation twice the memory", [&] {
      const cuda::DeviceContext context(0);
      const cuda::DeviceContext::Scope current(context);
      const cuda::DeviceBuffer buffer(2 * total);
    });
    const Features queries(200, 64, DType::kFloat32, 1), keys(200, 64, DType::kFloat32, 2);
    const double loss = cases::run(*backend_, clip(queries, keys)).result.loss;
    CHECK(std::isfinite(loss), "usable after errors: loss %g", loss);
  }

 private:
  static cuda::WorkspacePlan least_plan(int64_t rows, int64_t dim) {
    cuda::WorkspaceRequest w;
    w.similarities = {{rows, rows, false}};
    w.matrices = w.gradients = {rows, rows};
    w.dim = dim;
    w.planes = 2;
    w.bound = 1;
    return cuda::plan_workspace(w, {});
  }

  // Seconds from the abort, given once a block is done, to its error; -1 where none came: a small call may be
  // over before the other thread runs.
  double time_to_abort(ContrastiveRequest r) {
    int32_t words[Control::kWords] = {};
    r.control.words = words;
    double given = 0;
    bool over = false;
    std::thread watcher([&] {
      while (__atomic_load_n(words + Control::kDone, __ATOMIC_RELAXED) < 1 &&
             !__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        std::this_thread::yield();
      given = now_seconds();
      __atomic_store_n(words + Control::kAbort, 1, __ATOMIC_RELAXED);
    });
    double caught = 0;
    try {
      cases::run(*backend_, r);
    } catch (const Error& e) {
      if (e.code() == ErrorCode::kAborted) caught = now_seconds();
    }
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    watcher.join();
    return caught > 0 ? caught - given : -1;
  }

  // Largest difference of two elements, relative to the largest element.
  static double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    double most = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      most = std::fmax(most, std::fabs(static_cast<double>(a[i]) - b[i]));
      size = std::fmax(size, std::fabs(static_cast<double>(b[i])));
    }
    return size > 0 ? most / size : most;
  }

  template <class F>
  static void expect_out_of_memory(const char* what, F f) {
    try {
      f();
      CHECK(false, "%s: no error", what);
    } catch (const Error& e) {
      std::printf("%s %s: %s\n", e.code() == ErrorCode::kOutOfMemory ? "ok  " : "BAD ", what, e.what());
      CHECK(e.code() == ErrorCode::kOutOfMemory, "%s: %s", what, error_code_name(e.code()));
    }
  }

  std::unique_ptr<Backend> backend_ = make_cuda_backend(0, settings_from_environment());
  const Sizes& sizes_;
};

}  // namespace

std::vector<CheckEntry> device_checks(bool quick) {
  const Sizes& sizes = quick ? kQuick : kFull;
  const auto entry = [&sizes](const char* name, void (DeviceCheck::*check)()) {
    return CheckEntry{name, [&sizes, check] { (DeviceCheck(sizes).*check)(); }};
  };
  return {entry("device:leaks", &DeviceCheck::check_leaks), entry("device:abort", &DeviceCheck::check_abort),
          entry("device:slabs", &DeviceCheck::check_slabs),
          entry("device:memory", &DeviceCheck::check_out_of_memory)};
}

}  // namespace infcl::bench
