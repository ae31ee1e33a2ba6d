// Operands of products: how elements are stored and how many products make one of them.
#pragma once

#include "kernel_args.h"
#include "ptx.cuh"

namespace infcl::cuda {

// bf16x3: a float32 is high + low, and a b = low high + high low + high high, in one accumulator. Each of
// these products is a segment of the sum. Segments are added from the last number to 0, so that the small
// products come first: a tensor core truncates the sum at every step, and a sum that is still small loses
// less.
struct OneBFloat16 {
  using Type = BFloat16;
  static constexpr int kSegments = 1;
};
struct TwoBFloat16 {
  using Type = BFloat16;
  static constexpr int kSegments = 3;
};
struct OneFloat16 {
  using Type = Float16;
  static constexpr int kSegments = 1;
};

INFCL_DEVICE constexpr bool reads_low_of_a(int segment) { return segment == 2; }
INFCL_DEVICE constexpr bool reads_low_of_b(int segment) { return segment == 1; }

INFCL_DEVICE const uint16_t* plus(const uint16_t* p, int64_t offset) { return p ? p + offset : nullptr; }
INFCL_DEVICE Planes plus(const Planes& p, int64_t offset) {
  return {plus(p.high, offset), plus(p.low, offset)};
}

}  // namespace infcl::cuda
