// Many more threads than processors: the bits of one thread for every objective and pass, and calls that are
// stopped at any time end. `many_threads_test short` runs fewer rows, numbers of threads and instruction
// sets.
#include <atomic>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/errors.h"
#include "cpu_engine.h"
#include "engine_cases.h"

using cases::Case;
using cases::Inputs;
using cases::ObjectiveKind;
using cases::Run;

namespace {

// How much to run. ThreadSanitizer watches every access, and qemu emulates every instruction. Both are slow,
// so they get the short form.
struct Extent {
  int64_t rows;
  std::vector<int> thread_counts;
  int aborts;
  bool every_isa;
};
const Extent kWhole{4000, {2, 3, 8, 16, 33, 128}, 30, true};
const Extent kShort{1400, {16}, 3, false};
#ifdef __SANITIZE_THREAD__
Extent extent = kShort;
#else
Extent extent = kWhole;
#endif

// So many tiles that 128 threads have some each on most instruction sets, and slices of several features.
Case make_case(ObjectiveKind kind, const std::vector<int32_t>& classes) {
  Case c{"many threads", cases::request(kind, 10), extent.rows, extent.rows, 70};
  if (kind == ObjectiveKind::kSupCon) c.request.query_classes = c.request.key_classes = classes.data();
  return c;
}

std::vector<int32_t> make_classes() {
  std::vector<int32_t> classes(static_cast<size_t>(extent.rows));
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int32_t>(i % 500);
  return classes;
}

int64_t least_workspace(Engine& e, const infcl::ContrastiveRequest& r) {
  infcl::PlanRequest p;
  p.objective = r.objective;
  p.rows = r.queries.rows;
  p.keys = r.keys.rows;
  p.dim = r.queries.dim;
  return e.planner->plan(p).minimum_workspace_bytes;
}

void test_bits(Engine& e) {
  const std::vector<int32_t> classes = make_classes();
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent, ObjectiveKind::kSupCon,
                                   ObjectiveKind::kInfoNce, ObjectiveKind::kSigLip})
    for (const double filter : {0., 1e-3}) {
      if (filter > 0 && kind != ObjectiveKind::kClip && kind != ObjectiveKind::kNtXent) continue;
      Case c = make_case(kind, classes);
      c.request.gradient_filter = filter;
      const Inputs inputs(c);
      const infcl::ContrastiveRequest r = inputs.request(c);
      const int64_t room = int64_t{1} << 30;
      const Run one = run(e, r, 1, room);
      for (const int threads : extent.thread_counts) {
        const Run many = run(e, r, threads, room);
        CHECK(many.result.stats.threads == threads, "%s: %d of %d threads", e.isa.c_str(),
              many.result.stats.threads, threads);
        CHECK(cases::same_bits(one, many) && one.result.logit_bias_grad == many.result.logit_bias_grad &&
                  one.result.accuracy == many.result.accuracy,
              "%s kind %d filter %g: %d threads", e.isa.c_str(), static_cast<int>(kind), filter, threads);
        CHECK(one.result.stats.tiles_skipped == many.result.stats.tiles_skipped &&
                  (filter > 0 || many.result.stats.tiles_skipped == 0),
              "%ld tiles skipped", (long)many.result.stats.tiles_skipped);
        CHECK(many.result.stats.workspace_bytes <= room, "%ld bytes",
              (long)many.result.stats.workspace_bytes);
      }
      // A bound that keeps few scores, or none, and has room for fewer threads.
      const int64_t tight = 2 * least_workspace(e, r);
      const Run bounded = run(e, r, 128, tight);
      CHECK(cases::same_bits(one, bounded) && bounded.result.stats.workspace_bytes <= tight,
            "%s kind %d in %ld bytes", e.isa.c_str(), static_cast<int>(kind), (long)tight);
    }
}

// Few tiles: more threads are wanted than there are tiles, and some get none.
void test_few_tiles(Engine& e) {
  const std::vector<int32_t> classes = make_classes();
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent, ObjectiveKind::kInfoNce})
    for (const int64_t rows : {1, 130, 700}) {
      Case c = make_case(kind, classes);
      c.rows = c.keys = rows;
      const Inputs inputs(c);
      const infcl::ContrastiveRequest r = inputs.request(c);
      CHECK(cases::same_bits(run(e, r, 1, 0), run(e, r, 128, 0)), "%s kind %d, %ld rows", e.isa.c_str(),
            static_cast<int>(kind), (long)rows);
    }
}

// Stops a call after a while. True: it was stopped before its end.
bool stop_after(Engine& e, infcl::ContrastiveRequest r, std::chrono::microseconds delay) {
  int32_t words[infcl::Control::kWords] = {0, 0, 0};
  r.control.words = words;
  std::thread stopper([&] {
    std::this_thread::sleep_for(delay);
    __atomic_store_n(&words[infcl::Control::kAbort], 1, __ATOMIC_RELAXED);
  });
  bool stopped = false;
  try {
    run(e, r, 64, 0);
  } catch (const infcl::Error& error) {
    stopped = true;
    CHECK(error.code() == infcl::ErrorCode::kAborted, "%s", error.what());
  }
  stopper.join();
  return stopped;
}

// Whatever the threads wait for at that time: a turn, packed rows, a tile. A thread that is not woken would
// hang this test.
void test_aborts(Engine& e) {
  const std::vector<int32_t> classes = make_classes();
  int stopped = 0;
  for (const ObjectiveKind kind :
       {ObjectiveKind::kClip, ObjectiveKind::kNtXent, ObjectiveKind::kInfoNce, ObjectiveKind::kSigLip}) {
    Case c = make_case(kind, classes);
    c.request.gradient_filter = kind == ObjectiveKind::kNtXent ? 1e-3 : 0;
    const Inputs inputs(c);
    const infcl::ContrastiveRequest r = inputs.request(c);
    const auto start = std::chrono::steady_clock::now();
    const Run whole = run(e, r, 64, 0);
    const std::chrono::duration<double, std::micro> length = std::chrono::steady_clock::now() - start;
    for (int n = 0; n < extent.aborts; ++n)
      stopped += stop_after(
          e, r, std::chrono::microseconds(static_cast<int64_t>(length.count() * n / extent.aborts)));
    CHECK(cases::same_bits(whole, run(e, r, 64, 0)), "usable after aborts");
  }
  CHECK(stopped >= extent.aborts, "%d calls were stopped", stopped);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "short") extent = kShort;
  Engine fastest{infcl::cpu_info({}).isa};
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    if (extent.every_isa || isa == fastest.isa) test_few_tiles(e);
    if (isa == fastest.isa || (extent.every_isa && isa != "scalar")) test_bits(e);
  }
  test_aborts(fastest);
  return check::summary();
}
