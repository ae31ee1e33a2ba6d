// Makes operands from a caller's features: 16-bit planes, padded with zeros. The same pass over the
// features finds values that are not finite, and the longest row. One warp works on a row, with two
// features for a lane.
#include "collect.cuh"

namespace infcl::cuda {

INFCL_DEVICE float load_element(const SplitArgs& a, int64_t at) {
  switch (a.element) {
    case Element::kFloat16:
      return Float16::low(static_cast<const uint16_t*>(a.in)[at]);
    case Element::kBFloat16:
      return BFloat16::low(static_cast<const uint16_t*>(a.in)[at]);
    case Element::kFloat32:
      break;
  }
  return static_cast<const float*>(a.in)[at];
}

// Loads a feature, or gives zero for padding.
INFCL_DEVICE float load_feature(const SplitArgs& a, int64_t row, int64_t feature) {
  if (feature >= a.dim) return 0;
  const float value = load_element(a, row * a.stride + feature);
  if (!(fabsf(value) < INFINITY))
    atomicMin(&a.findings->first_not_finite,
              a.first_index + static_cast<unsigned long long>(row * a.dim + feature));
  return value;
}

// The bits of sums of squares have the same order as the sums, because no sum is negative. A double holds the
// square of any float32.
INFCL_DEVICE void find_longest(const SplitArgs& a, double squares_of_lane) {
  const double squares = fold_warp(squares_of_lane, Sum{});
  if (lane_id() == 0)
    atomicMax(&a.findings->longest_squares, static_cast<unsigned long long>(__double_as_longlong(squares)));
}

extern "C" __global__ void __launch_bounds__(kThreads, 4)
    split_kernel(const __grid_constant__ SplitArgs args) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kWarpsOfBlock + warp_id();
  if (row >= args.rows) return;
  double squares = 0;
#pragma unroll 1  // ptxas spills registers otherwise
  for (int feature = 2 * lane_id(); feature < args.padded_dim; feature += 64) {
    const float x = load_feature(args, row, feature), y = load_feature(args, row, feature + 1);
    squares += static_cast<double>(x) * x + static_cast<double>(y) * y;
    const uint32_t pair = args.to_float16 ? Float16::pack(x, y) : BFloat16::pack(x, y);
    const int64_t out = row * args.padded_dim + feature;
    *reinterpret_cast<uint32_t*>(args.high + out) = pair;
    if (args.low)
      *reinterpret_cast<uint32_t*>(args.low + out) =
          BFloat16::pack(x - BFloat16::low(pair), y - BFloat16::high(pair));
  }
  find_longest(args, squares);
}

}  // namespace infcl::cuda
