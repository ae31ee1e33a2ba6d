// The bench's calls on the emulator, which counts copies: features and gradients of the host travel, those of
// the device do not, and both have the same loss.
#include "call_memory.h"

#include <cstdlib>

#include "check.h"
#include "core/backend.h"
#include "core/backends.h"
#include "core/engine.h"
#include "emulator_log.h"

using namespace infcl::bench;

namespace {

struct Traffic {
  double loss = 0;
  int64_t in = 0, out = 0;  // bytes between host and device
};

Traffic measure(const BenchCase& c) {
  const CallMemory memory(c, 3);
  const auto backend = infcl::make_cuda_backend(0, {});
  emulator::reset();
  Traffic t;
  t.loss = infcl::contrastive(memory.request(2), *backend).loss;
  for (const emulator::Line& line : emulator::work()) {
    if (line.what == "copy in") t.in += std::atoll(line.subject.c_str());
    if (line.what == "copy out") t.out += std::atoll(line.subject.c_str());
  }
  return t;
}

void test(infcl::DType dtype) {
  BenchCase c{dtype, 200, 512};
  const int64_t features = 2 * c.rows * c.dim * static_cast<int64_t>(infcl::dtype_size(dtype));
  const int64_t gradients = 2 * c.rows * c.dim * static_cast<int64_t>(sizeof(float));
  const Traffic host = measure(c);
  c.place = MemoryPlace::kDevice;
  const Traffic device = measure(c);
  // Vectors along rows and columns travel in any case: some dozens of bytes a row of either side.
  const int64_t vectors = 2 * 96 * c.rows;
  CHECK(device.in < vectors && device.out < vectors, "%ld in, %ld out", static_cast<long>(device.in),
        static_cast<long>(device.out));
  CHECK(host.in >= features && host.in < features + vectors, "%ld in", static_cast<long>(host.in));
  CHECK(host.out >= gradients && host.out < gradients + vectors, "%ld out", static_cast<long>(host.out));
  CHECK(host.loss == device.loss && host.loss > 0, "%.17g and %.17g", host.loss, device.loss);
}

}  // namespace

int main() {
  test(infcl::DType::kFloat32);
  test(infcl::DType::kBFloat16);
  return check::summary();
}
