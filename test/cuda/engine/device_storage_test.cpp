// Features and gradients that live on a device, and their order against the stream of a foreign owner, as the
// emulator logs it. The CPU backend's refusal.
#include "core/device_storage.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "check.h"
#include "core/backend.h"
#include "core/backends.h"
#include "core/engine.h"
#include "core/errors.h"
#include "cuda/driver/device.h"
#include "cuda/driver/memory.h"
#include "emulator_log.h"

using infcl::MatrixView;

namespace {

constexpr int64_t kRows = 150, kDim = 40, kBytes = kRows * kDim * 4;

std::vector<float> features(float seed) {
  std::vector<float> out(kRows * kDim);
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::sin(seed + 1.7f * static_cast<float>(i)) / 4;
  return out;
}

MatrixView view(const void* data, const infcl::Place& place = {}) {
  return {data, infcl::DType::kFloat32, kRows, kDim, kDim, place};
}

infcl::ContrastiveRequest request(const MatrixView& queries, const MatrixView& keys) {
  infcl::ContrastiveRequest r;
  r.queries = queries;
  r.keys = keys;
  r.objective = infcl::make_objective(infcl::ObjectiveKind::kClip);
  r.logit_scale = 10;
  r.gradient = true;
  return r;
}

using emulator::Line;

// What happened to events since the last call.
std::vector<Line> take_log() {
  const std::vector<Line> lines = emulator::events();
  emulator::reset();
  return lines;
}

std::string text_of(const void* handle) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", handle);
  return text;
}

// Line `at` records on one stream, and the next makes the other wait for that.
bool is_order(const std::vector<Line>& log, size_t at, const std::string& before, const std::string& after) {
  return at + 1 < log.size() && log[at].what == "record" && log[at].stream == before &&
         log[at + 1].what == "wait for" && log[at + 1].stream == after &&
         log[at].subject == log[at + 1].subject;
}

void orders_against_foreign_streams() {
  const std::vector<float> q = features(1), k = features(2);
  const std::unique_ptr<infcl::Backend> backend = infcl::make_cuda_backend(0, {});
  std::vector<float> d_queries(q.size()), received(q.size());
  infcl::ContrastiveRequest r = request(view(q.data()), view(k.data()));
  r.d_queries = d_queries.data();
  const infcl::ContrastiveResult host = infcl::contrastive(r, *backend);

  const infcl::cuda::DeviceContext context(0);
  const infcl::cuda::DeviceContext::Scope current(context);
  const infcl::cuda::Stream readers, writers;
  const infcl::Place reading{true, true, readers.get()}, writing{true, true, writers.get()};
  const auto queries = infcl::allocate_device_storage(0, kBytes),
             keys = infcl::allocate_device_storage(0, kBytes),
             gradient = infcl::allocate_device_storage(0, kBytes);
  queries->upload(view(q.data()));
  keys->upload(view(k.data()));
  const auto lent = infcl::borrow_device_storage(0, queries->data(), kBytes, reading);
  CHECK(lent->is_borrowed() && !queries->is_borrowed(), "who owns");
  take_log();

  r = request(view(lent->data(), lent->place()), view(keys->data(), keys->place()));
  r.d_queries = reinterpret_cast<float*>(gradient->data());
  r.d_queries_layout = {0, writing};
  const infcl::ContrastiveResult device = infcl::contrastive(r, *backend);
  const std::vector<Line> log = take_log();
  CHECK(log.size() > 8, "%zu lines", log.size());
  const std::string ours = log[1].stream, theirs = text_of(readers.get()), others = text_of(writers.get());
  CHECK(ours != theirs && ours != others, "a stream of our own");
  // before anything of ours
  CHECK(is_order(log, 0, theirs, ours), "what readers did comes first");
  CHECK(is_order(log, 2, others, ours), "what writers did comes first");
  // after everything of ours
  CHECK(is_order(log, log.size() - 4, ours, theirs), "what readers will do comes after");
  CHECK(is_order(log, log.size() - 2, ours, others), "what writers will do comes after");

  gradient->download(view(gradient->data(), gradient->place()), received.data());
  CHECK(device.loss == host.loss, "%.17g and %.17g", device.loss, host.loss);
  CHECK(!std::memcmp(received.data(), d_queries.data(), kBytes), "gradients");
  take_log();
  lent->download(view(lent->data(), lent->place()), received.data());
  const std::vector<Line> download = take_log();
  CHECK(download.size() >= 2 && is_order(download, 0, theirs, download.back().stream), "%zu lines",
        download.size());
  CHECK(!std::memcmp(received.data(), q.data(), kBytes), "features");
}

// Matrices of several pieces of pinned memory, with gaps between their rows on either side.
void moves_large_matrices() {
  constexpr int64_t kManyRows = 3000, kWidth = 300, kStride = 310;
  std::vector<float> host(kManyRows * kStride), received(kManyRows * kWidth);
  for (size_t i = 0; i < host.size(); ++i) host[i] = static_cast<float>(i);
  const auto memory = infcl::allocate_device_storage(0, kManyRows * kWidth * 4);
  memory->upload({host.data(), infcl::DType::kFloat32, kManyRows, kWidth, kStride, {}});
  emulator::reset();
  memory->download(
      {memory->data(), infcl::DType::kFloat32, kManyRows / 2, kWidth, 2 * kWidth, memory->place()},
      received.data());
  int64_t copies = 0;
  for (const Line& line : emulator::work()) copies += line.what == "copy out";
  CHECK(copies == 2, "%ld pieces of a megabyte", static_cast<long>(copies));
  for (int64_t i = 0; i < kManyRows / 2; ++i)
    CHECK(!std::memcmp(received.data() + i * kWidth, host.data() + 2 * i * kStride, kWidth * 4), "row %ld",
          static_cast<long>(i));
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const infcl::Error& e) {
    return std::string(infcl::error_code_name(e.code())) + " " + e.what();
  }
  return "no error";
}

void refuses_memory_of_another_context() {
  const auto memory = infcl::allocate_device_storage(0, kBytes);
  const infcl::Place place{true, false, nullptr};
  const auto borrow = [&] { infcl::borrow_device_storage(0, memory->data(), kBytes, place); };
  CHECK(refusal(borrow) == "no error", "memory of the primary context");
  emulator::find<void(unsigned long long)>("infcl_emulator_make_foreign")(
      reinterpret_cast<unsigned long long>(memory->data()));
  const std::string received = refusal(borrow);
  CHECK(received.find("ERR_DEVICE") == 0 &&
            received.find("received memory of another context than its primary one") != std::string::npos,
        "%s", received.c_str());
}

void cpu_refuses_device_memory() {
  const std::unique_ptr<infcl::Backend> backend = infcl::make_cpu_backend({});
  const std::vector<float> q = features(1);
  std::vector<float> d_queries(q.size());
  const infcl::Place there{true, false, nullptr};
  infcl::ContrastiveRequest on_device = request(view(q.data(), there), view(q.data())),
                            gradient = request(view(q.data()), view(q.data()));
  gradient.d_queries = d_queries.data();
  gradient.d_queries_layout.place = there;
  for (const infcl::ContrastiveRequest& r : {on_device, gradient}) {
    const std::string received = refusal([&] { infcl::contrastive(r, *backend); });
    CHECK(received ==
              "ERR_DEVICE [cpu] Expected features in the memory of the host but received some on a device",
          "%s", received.c_str());
  }
}

}  // namespace

int main() {
  cpu_refuses_device_memory();
  if (!std::getenv("INFCL_CUDA_LIBRARY")) {
    std::printf("no INFCL_CUDA_LIBRARY: nothing to run on\n");
    return check::failed ? 1 : 77;
  }
  orders_against_foreign_streams();
  if (emulator::is_there()) moves_large_matrices();
  if (emulator::is_there()) refuses_memory_of_another_context();
  return check::summary();
}
