// The features and gradients of a timed call, in the host's memory or in the device's.
#pragma once

#include <memory>
#include <vector>

#include "bench_shape.h"
#include "core/device_storage.h"
#include "core/request.h"
#include "unit_rows.h"

namespace infcl::bench {

// Repetitions rotate through feature matrices that together exceed the L2 cache twice; two at least.
int matrices_for(const BenchCase&, int64_t l2_bytes);

class CallMemory {
 public:
  // Throws Error (kOutOfMemory), of the host or of the device.
  CallMemory(const BenchCase&, int matrices);
  // A clip loss with both gradients. Rounds rotate through the matrices.
  ContrastiveRequest request(int round) const;

 private:
  struct Gradient {
    std::unique_ptr<float[]> host;
    std::unique_ptr<DeviceStorage> device;
  };
  MatrixView features(int matrix) const;
  static Gradient make_gradient(const BenchCase&);
  static void set_gradient(const Gradient&, float*& to, GradientLayout& layout);

  const BenchCase shape_;
  const int matrices_;
  std::vector<Features> host_;
  std::vector<std::unique_ptr<DeviceStorage>> device_;
  Gradient d_queries_, d_keys_;
};

}  // namespace infcl::bench
