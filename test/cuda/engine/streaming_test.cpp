// Operands that do not fit the device and come in slabs: the same answers as without, for every objective
// and option, in three slabs a side at least; memory within its bound; order of copies and work. On an
// emulator whose streams do their work as late as they may, so that a missing wait is a wrong result.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "core/backends.h"
#include "core/device_storage.h"
#include "core/errors.h"
#include "core/grid.h"
#include "cuda_engine.h"
#include "emulator_log.h"
#include "engine_cases.h"

using cases::Case;
using cases::Inputs;
using cases::ObjectiveKind;
using cases::Run;
using infcl::ErrorCode;

namespace {

// That much more holds `count` more such slabs: the block and what copies need take a quarter at most.
int64_t room_for(const Case& c, int64_t count) {
  return count * 128 * infcl::round_up(c.dim, 64) * 8 * 4 / 3;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::fmax(most, std::fabs(static_cast<double>(a[i]) - b[i]));
    size = std::fmax(size, std::fabs(b[i]));
  }
  return size > 0 ? most / size : most;
}

// Sums in another order, but of the same terms.
void expect_equal(const Case& c, const Run& slabs, const Run& whole, double bound) {
  const double loss = std::fabs(slabs.result.loss - whole.result.loss) / std::fmax(1, whole.result.loss);
  const double gradient = std::fmax(largest_difference(slabs.d_queries, whole.d_queries),
                                    std::fmax(largest_difference(slabs.d_keys, whole.d_keys),
                                              largest_difference(slabs.d_hard, whole.d_hard)));
  CHECK(loss <= 1e-6 && gradient <= bound, "%s: loss %.1e gradient %.1e", c.name.c_str(), loss, gradient);
  CHECK(slabs.result.stats.masked_pairs == whole.result.stats.masked_pairs &&
            slabs.result.stats.tiles == whole.result.stats.tiles &&
            slabs.result.stats.flops == whole.result.stats.flops,
        "%s: the same work", c.name.c_str());
}

// Three slabs or more of the longer side; larger ones would only take longer.
bool is_of_size(const Case& c) {
  const int64_t longest = std::max(c.rows, c.keys);
  return longest > 256 && longest <= 512;
}

void in_slabs(Engine& e, const Case& c, bool bfloat16, double bound) {
  if (!is_of_size(c)) return;
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.bfloat16 = bfloat16;
  const Run whole = e.run(r);
  CHECK(whole.result.stats.slabs == 1, "%s: all fits", c.name.c_str());
  const int64_t least = least_workspace(e, r);
  for (const int64_t bytes : {least, least + room_for(c, 2)}) {
    r.workspace_bytes = bytes;
    const Run slabs = e.run(r);
    CHECK(slabs.result.stats.slabs >= 3 || bytes > least, "%s: %ld slabs", c.name.c_str(),
          static_cast<long>(slabs.result.stats.slabs));
    CHECK(slabs.result.stats.workspace_bytes <= bytes, "%s: %ld", c.name.c_str(),
          static_cast<long>(slabs.result.stats.workspace_bytes));
    expect_equal(c, slabs, whole, bound);
  }
}

void test_everything(Engine& e) {
  // what float32 sums of some hundred terms lose by their order
  for (const auto visit : {cases::visit_shapes, cases::visit_objectives, cases::visit_options})
    visit([&](const Case& c) { in_slabs(e, c, false, 2e-5); });
  cases::visit_sixteen_bits(infcl::DType::kBFloat16, [&](const Case& c) { in_slabs(e, c, true, 1e-4); });
  cases::visit_sixteen_bits(infcl::DType::kFloat16, [&](const Case& c) { in_slabs(e, c, false, 1e-4); });
}

void test_equal_bits(Engine& e) {
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent}) {
    const Case c{"equal bits", cases::request(kind, 20), 400, 400, 40};
    const Inputs inputs(c);
    infcl::ContrastiveRequest r = inputs.request(c);
    r.workspace_bytes = least_workspace(e, r) + room_for(c, 1);
    CHECK(cases::same_bits(e.run(r), e.run(r)), "two runs differ");
  }
}

// Fewer of them than a slab has rows, and more.
void test_hard_negative_keys(Engine& e) {
  for (const int64_t per_query : {2, 150}) {
    infcl::ContrastiveRequest r = cases::request(ObjectiveKind::kInfoNce, 12);
    r.hard_negatives_per_query = per_query;
    in_slabs(e, {"hard negatives " + std::to_string(per_query), r, 260, 270, 9}, false, 2e-5);
  }
}

// Positives that lie in any slab, whose dots are asked for beforehand.
void test_margin_of_labels(Engine& e) {
  std::vector<int32_t> labels(300);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>((i * 7 + 3) % 420);
  infcl::ContrastiveRequest r = cases::request(ObjectiveKind::kInfoNce, 20);
  r.labels = labels.data();
  r.has_margin = true;
  r.margin = 0.03;
  Case c{"margin", r, 300, 420, 24};
  c.coarse = true;
  in_slabs(e, c, false, 2e-5);
}

// Queries that are the keys as well share features, and have two gradients all the same.
void test_one_matrix(Engine& e) {
  const Case c{"one matrix", cases::request(ObjectiveKind::kClip, 20), 400, 400, 30};
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.keys = r.queries;
  const Run whole = e.run(r);
  r.workspace_bytes = least_workspace(e, r);
  expect_equal(c, e.run(r), whole, 2e-5);
}

// Sides without a gradient, and keys of which only the first have one: a slab and a part of the next.
void test_frozen(Engine& e) {
  const Case c{"frozen", cases::request(ObjectiveKind::kInfoNce, 20), 300, 500, 40};
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.workspace_bytes = least_workspace(e, r);
  const Run all = e.run(r);
  const size_t dim = static_cast<size_t>(c.dim);
  std::vector<float> d_keys(200 * dim, 7.f), d_queries(300 * dim, 7.f);
  r.gradient = true;
  r.d_keys = d_keys.data();
  r.d_key_rows = 200;
  infcl::contrastive(r, *e.backend);
  const std::vector<float> first(all.d_keys.begin(), all.d_keys.begin() + 200 * c.dim);
  CHECK(largest_difference(d_keys, first) <= 2e-5, "first keys");
  r.d_keys = nullptr;
  r.d_key_rows = 0;
  r.d_queries = d_queries.data();
  infcl::contrastive(r, *e.backend);
  CHECK(largest_difference(d_queries, all.d_queries) <= 2e-5, "queries alone");
  r.gradient = false;
  CHECK(infcl::contrastive(r, *e.backend).loss == all.result.loss, "loss alone");
}

// Any of the four may lie on the device, where its slabs cost no copy to the host.
void test_places(Engine& e) {
  const Case c{"places", cases::request(ObjectiveKind::kNtXent, 20), 400, 400, 30};
  const Inputs inputs(c);
  infcl::ContrastiveRequest host = inputs.request(c);
  host.workspace_bytes = least_workspace(e, host);
  const Run expected = e.run(host);
  const int64_t bytes = c.rows * c.dim * 4, wide = c.rows * 40 * 4;
  const auto queries = infcl::allocate_device_storage(0, bytes),
             d_queries = infcl::allocate_device_storage(0, wide);
  queries->upload(host.queries);
  infcl::ContrastiveRequest r = host;
  r.queries.data = queries->data();
  r.queries.place = queries->place();
  std::vector<float> d_keys(expected.d_keys.size(), 7.f), received(expected.d_queries.size());
  r.gradient = true;
  r.d_queries = reinterpret_cast<float*>(d_queries->data());
  r.d_queries_layout = {40, d_queries->place()};
  r.d_keys = d_keys.data();
  r.d_key_rows = c.keys;
  const infcl::ContrastiveResult result = infcl::contrastive(r, *e.backend);
  d_queries->download({d_queries->data(), infcl::DType::kFloat32, c.rows, c.dim, 40, d_queries->place()},
                      received.data());
  CHECK(result.loss == expected.result.loss, "%g", result.loss);
  CHECK(largest_difference(received, expected.d_queries) <= 2e-5, "gradient on the device");
  CHECK(largest_difference(d_keys, expected.d_keys) <= 2e-5, "gradient on the host");
}

// Each tile may lose its own part alone, so slabs skip the same tiles.
void test_filter(Engine& e) {
  Case c{"filter", cases::request(ObjectiveKind::kClip, 60), 400, 400, 40};
  c.request.gradient_filter = 1e-3;
  Inputs inputs(c);
  inputs.keys = inputs.queries;  // all but solved
  for (float& v : inputs.keys.wide.data) v += 1e-3f;
  infcl::ContrastiveRequest r = inputs.request(c);
  const Run whole = e.run(r);
  r.workspace_bytes = least_workspace(e, r);
  const Run slabs = e.run(r);
  CHECK(whole.result.stats.tiles_skipped > 0 &&
            slabs.result.stats.tiles_skipped == whole.result.stats.tiles_skipped,
        "%ld and %ld tiles", static_cast<long>(whole.result.stats.tiles_skipped),
        static_cast<long>(slabs.result.stats.tiles_skipped));
  expect_equal(c, slabs, whole, 2e-5);
}

void test_not_finite(Engine& e) {
  const Case c{"not finite", cases::request(ObjectiveKind::kClip, 10), 400, 400, 16};
  Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.workspace_bytes = least_workspace(e, r);
  inputs.keys.wide.data[350 * 16 + 5] = NAN;
  inputs.keys.wide.data[300 * 16 + 1] = INFINITY;
  const std::string error = error_of(ErrorCode::kNotFinite, [&] { e.run(r); });
  CHECK(std::strstr(error.c_str(), "for keys but received NaN or Infinity at row 300, column 1"), "%s",
        error.c_str());
}

void test_progress_and_abort(Engine& e) {
  const Case c{"progress", cases::request(ObjectiveKind::kNtXent, 10), 400, 400, 64};
  const Inputs inputs(c);
  infcl::ContrastiveRequest r = inputs.request(c);
  r.workspace_bytes = least_workspace(e, r);
  int32_t words[infcl::Control::kWords] = {};
  r.control.words = words;
  e.run(r);
  // 4 x 4 slabs, and twice the 10 of a triangle, of a block each
  CHECK(words[infcl::Control::kTotal] == 36 && words[infcl::Control::kDone] == 72, "%d of %d blocks",
        words[infcl::Control::kDone], words[infcl::Control::kTotal]);
  words[infcl::Control::kAbort] = 1;
  error_of(ErrorCode::kAborted, [&] { e.run(r); });
  r.control.words = nullptr;
  CHECK(std::isfinite(e.run(r).result.loss), "usable afterwards");
}

const Case kLarge{"memory", cases::request(ObjectiveKind::kClip, 10), 3000, 3000, 128};

// A device with this much memory, beyond what a backend has when it is made.
struct SmallDevice {
  explicit SmallDevice(int64_t bytes) {
    emulator::reset();
    in_use = emulator::peak_bytes();
    setenv("INFCL_EMULATOR_MEMORY", std::to_string(in_use + static_cast<size_t>(bytes)).c_str(), 1);
  }
  ~SmallDevice() { unsetenv("INFCL_EMULATOR_MEMORY"); }
  Engine engine;
  size_t in_use;
};

// As much as the plan says, and not a byte more at any time.
void test_memory() {
  const Inputs inputs(kLarge);
  const infcl::ContrastiveRequest r = inputs.request(kLarge);
  Run slabs;
  {
    SmallDevice device(4 << 20);
    slabs = device.engine.run(r);
    const infcl::Stats& stats = slabs.result.stats;
    CHECK(stats.slabs >= 3, "%ld slabs", static_cast<long>(stats.slabs));
    CHECK(emulator::peak_bytes() == device.in_use + static_cast<size_t>(stats.workspace_bytes),
          "%zu bytes at most, planned %ld", emulator::peak_bytes() - device.in_use,
          static_cast<long>(stats.workspace_bytes));
    infcl::PlanRequest request;
    request.rows = request.keys = kLarge.rows;
    request.dim = kLarge.dim;
    const infcl::Plan plan = device.engine.planner->plan(request);
    CHECK(plan.workspace_bytes == stats.workspace_bytes && plan.slabs == stats.slabs,
          "planned %ld bytes in %ld slabs", static_cast<long>(plan.workspace_bytes),
          static_cast<long>(plan.slabs));
  }
  Engine whole;
  const Run expected = whole.run(r);
  CHECK(expected.result.stats.slabs == 1, "all fits a larger device");
  expect_equal(kLarge, slabs, expected, 2e-5);
}

// Where not even slabs fit: the plan's numbers, and nothing stays.
void test_too_small() {
  const Inputs inputs(kLarge);
  SmallDevice device(600 << 10);
  infcl::PlanRequest request;
  request.rows = request.keys = kLarge.rows;
  request.dim = kLarge.dim;
  const std::string error =
      error_of(ErrorCode::kOutOfMemory, [&] { device.engine.run(inputs.request(kLarge)); });
  emulator::reset();
  CHECK(emulator::peak_bytes() == device.in_use, "%zu bytes left behind",
        emulator::peak_bytes() - device.in_use);
  setenv("INFCL_EMULATOR_MEMORY", std::to_string(64 << 20).c_str(), 1);
  const int64_t least = device.engine.planner->plan(request).minimum_workspace_bytes;
  CHECK(std::strstr(error.c_str(), std::to_string(least).c_str()), "%s", error.c_str());
}

}  // namespace

int main() {
  if (!emulator::is_there()) {
    std::printf("SKIPPED cuda_streaming_test: INFCL_CUDA_LIBRARY names no emulator\n");
    return 77;
  }
  setenv("INFCL_EMULATOR_LAZY", "1", 1);
  Engine engine;
  test_everything(engine);
  test_equal_bits(engine);
  test_hard_negative_keys(engine);
  test_margin_of_labels(engine);
  test_one_matrix(engine);
  test_frozen(engine);
  test_places(engine);
  test_filter(engine);
  test_not_finite(engine);
  test_progress_and_abort(engine);
  test_memory();
  test_too_small();
  return check::summary();
}
