// What one row of the bench is about.
#pragma once

#include <cstdint>
#include <tuple>

#include "core/types.h"

namespace infcl::bench {

// Where features and gradients lie: in the host's ordinary memory, or in the device's.
enum class MemoryPlace { kHost, kDevice };
constexpr const char* place_name(MemoryPlace p) { return p == MemoryPlace::kHost ? "host" : "device"; }

struct BenchCase {
  DType dtype = DType::kFloat32;
  int64_t rows = 0, dim = 0;
  MemoryPlace place = MemoryPlace::kHost;
  // A loss with gradients makes four products: logits twice, two gradients. float32 features take
  // three products of bfloat16 for one.
  double flops() const { return 4. * 2 * static_cast<double>(rows) * static_cast<double>(rows * dim); }
  double executed_flops() const { return flops() * (dtype == DType::kFloat32 ? 3 : 1); }
  // The same features, wherever they lie.
  bool same_problem(const BenchCase& o) const {
    return std::tie(dtype, rows, dim) == std::tie(o.dtype, o.rows, o.dim);
  }
};

}  // namespace infcl::bench
