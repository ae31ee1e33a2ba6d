// Operands of products: in how many planes an operand is stored, and how many products of planes the product
// of two operands takes.
#pragma once

#include "kernel_args.h"
#include "ptx.cuh"

namespace infcl::cuda {

// One plane takes one product. Two planes hold a float32 as high + low. One accumulator then adds up three
// products: a b = low high + high low + high high. The product low low is below the rounding error.
//
// Products have numbers, and the kernels add them from the last number to 0: the small products come first. A
// tensor core truncates the sum at every step, and a small sum loses less.
struct BFloat16Plane {
  using Type = BFloat16;
  static constexpr int kPlanes = 1, kProducts = 1;
};
struct TwoPlanes {
  using Type = BFloat16;
  static constexpr int kPlanes = 2, kProducts = 3;
};
struct Float16Plane {
  using Type = Float16;
  static constexpr int kPlanes = 1, kProducts = 1;
};

INFCL_DEVICE constexpr bool reads_low_of_a(int product) { return product == 2; }
INFCL_DEVICE constexpr bool reads_low_of_b(int product) { return product == 1; }

INFCL_DEVICE const uint16_t* plus(const uint16_t* p, int64_t offset) { return p ? p + offset : nullptr; }
INFCL_DEVICE Planes plus(const Planes& p, int64_t offset) {
  return {plus(p.high, offset), plus(p.low, offset)};
}

}  // namespace infcl::cuda
