#include "call_memory.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "core/backends.h"
#include "core/errors.h"

namespace infcl::bench {

namespace {

constexpr int kMostMatrices = 32;
constexpr int kDevice = 0;

int64_t elements_of(const BenchCase& c) { return c.rows * c.dim; }

int64_t available_host_bytes() {  // -1: not known
  std::ifstream info("/proc/meminfo");
  for (std::string word; info >> word;)
    if (int64_t kibibytes; word == "MemAvailable:" && info >> kibibytes) return 1024 * kibibytes;
  return -1;
}

// Features on the device pass through one matrix of the host at a time.
void expect_host_memory(const BenchCase& c, int matrices) {
  const int64_t features = elements_of(c) * static_cast<int64_t>(dtype_size(c.dtype));
  const int64_t gradients = 2 * elements_of(c) * static_cast<int64_t>(sizeof(float));
  const int64_t bytes = c.place == MemoryPlace::kHost ? matrices * features + gradients : features;
  const int64_t available = available_host_bytes();
  if (available >= 0 && bytes > available / 10 * 9)
    throw Error(ErrorCode::kOutOfMemory, "bench",
                "features and gradients need " + std::to_string(bytes >> 20) +
                    " MiB of the host: " + std::to_string(available >> 20) + " are available");
}

}  // namespace

int matrices_for(const BenchCase& c, int64_t l2_bytes) {
  const int64_t bytes = elements_of(c) * static_cast<int64_t>(dtype_size(c.dtype));
  return static_cast<int>(std::clamp<int64_t>(2 * l2_bytes / bytes + 1, 2, kMostMatrices));
}

CallMemory::CallMemory(const BenchCase& c, int matrices) : shape_(c), matrices_(matrices) {
  expect_host_memory(c, matrices);
  for (int i = 0; i < matrices; ++i) {
    Features features(c.rows, c.dim, c.dtype, static_cast<uint64_t>(i));
    if (c.place == MemoryPlace::kHost) {
      host_.push_back(std::move(features));
      continue;
    }
    device_.push_back(allocate_device_storage(kDevice, features.bytes()));
    device_.back()->upload(features.view());
  }
  d_queries_ = make_gradient(c);
  d_keys_ = make_gradient(c);
}

CallMemory::Gradient CallMemory::make_gradient(const BenchCase& c) {
  Gradient gradient;
  if (c.place == MemoryPlace::kHost)
    gradient.host.reset(new float[static_cast<size_t>(elements_of(c))]);
  else
    gradient.device = allocate_device_storage(kDevice, elements_of(c) * static_cast<int64_t>(sizeof(float)));
  return gradient;
}

MatrixView CallMemory::features(int matrix) const {
  const size_t i = static_cast<size_t>(matrix);
  if (shape_.place == MemoryPlace::kHost) return host_[i].view();
  return {device_[i]->data(), shape_.dtype, shape_.rows, shape_.dim, shape_.dim, device_[i]->place()};
}

void CallMemory::set_gradient(const Gradient& gradient, float*& to, GradientLayout& layout) {
  to = gradient.device ? reinterpret_cast<float*>(gradient.device->data()) : gradient.host.get();
  if (gradient.device) layout.place = gradient.device->place();
}

ContrastiveRequest CallMemory::request(int round) const {
  ContrastiveRequest r;
  r.queries = features(round % matrices_);
  r.keys = features((round + 1) % matrices_);
  r.objective = make_objective(ObjectiveKind::kClip);
  r.logit_scale = 1 / 0.07;
  r.bfloat16 = shape_.dtype == DType::kBFloat16;
  r.gradient = true;
  r.d_key_rows = r.keys.rows;
  set_gradient(d_queries_, r.d_queries, r.d_queries_layout);
  set_gradient(d_keys_, r.d_keys, r.d_keys_layout);
  return r;
}

}  // namespace infcl::bench
