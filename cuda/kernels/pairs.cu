// Single pairs of a row and a column: hard negatives of each row, and positives whose dots the engine needs
// before the tiles. The arithmetic is float32 on the operands' values, with two features for a lane. A pair's
// dot may differ from the tile's dot in its last bits, because tensor cores add in another order.
#include "collect.cuh"

namespace infcl::cuda {

// Two neighbouring features of an operand, and their values in the high plane.
struct FeaturePair {
  float2 value, high;
};

INFCL_DEVICE FeaturePair load_features(const Planes& planes, bool float16, int64_t at) {
  const uint32_t high = *reinterpret_cast<const uint32_t*>(planes.high + at);
  FeaturePair pair;
  pair.high = float16 ? make_float2(Float16::low(high), Float16::high(high))
                      : make_float2(BFloat16::low(high), BFloat16::high(high));
  pair.value = pair.high;
  if (planes.low) {
    const uint32_t low = *reinterpret_cast<const uint32_t*>(planes.low + at);
    pair.value.x += BFloat16::low(low);
    pair.value.y += BFloat16::high(low);
  }
  return pair;
}

// Sums over the features of a pair: the dot, and the sum of the products' magnitudes. With two planes, the
// dot leaves out the product of the low planes, because tiles leave it out too.
struct PairSum {
  float dot = 0, size = 0;

  INFCL_DEVICE void add(float x, float y, float x_high, float y_high) {
    dot = fmaf(x_high, y, fmaf(x - x_high, y_high, dot));
    size = fmaf(fabsf(x), fabsf(y), size);
  }
};

INFCL_DEVICE int64_t column_of(const PairArgs& a, int64_t pair) { return a.labels ? a.labels[pair] : pair; }
INFCL_DEVICE int64_t warp_of_grid() { return static_cast<int64_t>(blockIdx.x) * kWarpsOfBlock + warp_id(); }

// One warp computes one pair.
extern "C" __global__ void __launch_bounds__(kThreads)
    pair_dots_kernel(const __grid_constant__ PairArgs args) {
  const int64_t pair = warp_of_grid();
  if (pair >= args.count) return;
  const int64_t row = pair / args.per_row * args.padded_dim;
  const int64_t column = column_of(args, pair) * args.padded_dim;
  PairSum sum;
  for (int feature = 2 * lane_id(); feature < args.dim; feature += 64) {
    const FeaturePair x = load_features(args.rows, args.float16, row + feature);
    const FeaturePair y = load_features(args.columns, args.float16, column + feature);
    sum.add(x.value.x, y.value.x, x.high.x, y.high.x);
    sum.add(x.value.y, y.value.y, x.high.y, y.high.y);
  }
  const float dot = fold_warp(sum.dot, Sum{}), size = fold_warp(sum.size, Sum{});
  if (lane_id() > 0) return;
  args.dots[pair] = dot;
  args.errors[pair] = args.rounding * size;
}

// One warp works on one row and adds up the row's pairs in order.
extern "C" __global__ void __launch_bounds__(kThreads)
    pair_gradients_kernel(const __grid_constant__ PairArgs args) {
  const int64_t row = warp_of_grid(), first = row * args.per_row;
  if (first >= args.count) return;
  const int64_t last = min(first + args.per_row, args.count);
  for (int feature = 2 * lane_id(); feature < args.padded_dim; feature += 64) {
    const int64_t at = row * args.padded_dim + feature;
    const float2 x = load_features(args.rows, args.float16, at).value;
    float2 sum = make_float2(0, 0);
    for (int64_t pair = first; pair < last; ++pair) {
      const float g = args.g[pair];
      const float2 y =
          load_features(args.columns, args.float16, column_of(args, pair) * args.padded_dim + feature).value;
      sum.x = fmaf(g, y.x, sum.x);
      sum.y = fmaf(g, y.y, sum.y);
      if (args.d_columns)
        *reinterpret_cast<float2*>(args.d_columns + pair * args.padded_dim + feature) =
            make_float2(g * x.x, g * x.y);
    }
    if (!args.d_rows) continue;
    float2* out = reinterpret_cast<float2*>(args.d_rows + at);
    *out = make_float2(out->x + sum.x, out->y + sum.y);
  }
}

}  // namespace infcl::cuda
