// Random operands in every precision, and the numbers that they stand for.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "gpu.h"
#include "half.h"

namespace test {

using infcl::cuda::kDimAlignment;
using infcl::cuda::kTile;

enum class Precision { kBFloat16, kTwoPlanes, kFloat16 };
constexpr Precision kPrecisions[] = {Precision::kBFloat16, Precision::kTwoPlanes, Precision::kFloat16};

inline const char* name(Precision p) {
  return p == Precision::kBFloat16 ? "bf16" : p == Precision::kTwoPlanes ? "two_planes" : "f16";
}

inline int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }
inline int padded(int n) { return round_up(n, kTile); }

// The planes of one element, which is their sum.
struct PlanePair {
  double high, low;
};

// What a matrix of 16-bit planes holds.
class Matrix {
 public:
  Matrix(Precision p, int rows, int stride)
      : precision(p), stride(stride), high(static_cast<size_t>(rows) * stride), low(high.size()) {}

  void set(int i, int j, double value) {
    const size_t at = index(i, j);
    const float x = static_cast<float>(value);
    high[at] = precision == Precision::kFloat16 ? half::to_float16(x) : half::to_bfloat16(x);
    if (precision == Precision::kTwoPlanes) low[at] = half::to_bfloat16(x - half::from_bfloat16(high[at]));
  }
  double get(int i, int j) const {
    const size_t at = index(i, j);
    if (precision == Precision::kFloat16) return half::from_float16(high[at]);
    const double value = half::from_bfloat16(high[at]);
    return precision == Precision::kTwoPlanes ? value + half::from_bfloat16(low[at]) : value;
  }
  double get_low(int i, int j) const {
    return precision == Precision::kTwoPlanes ? half::from_bfloat16(low[index(i, j)]) : 0;
  }
  PlanePair planes(int i, int j) const {
    const double second = get_low(i, j);
    return {get(i, j) - second, second};
  }
  // Two planes: whether the second is what rounding lost in the first, half a unit in its last place.
  bool is_split(int i, int j) const {
    const size_t at = index(i, j);
    return std::fabs(half::from_bfloat16(low[at])) <= std::fabs(half::from_bfloat16(high[at])) * 0x1p-8f;
  }
  size_t index(int i, int j) const { return static_cast<size_t>(i) * stride + j; }

  Precision precision;
  int stride;
  std::vector<uint16_t> high, low;
};

// On the device; one plane where one is enough.
class DeviceMatrix {
 public:
  explicit DeviceMatrix(const Matrix& m)
      : high_(m.high), low_(m.precision == Precision::kTwoPlanes ? m.low : std::vector<uint16_t>()) {}
  infcl::cuda::Planes planes() const { return {high_.get(), low_.get()}; }

 private:
  gpu::Array<uint16_t> high_, low_;
};

using Random = std::mt19937;

// Features of kernels: rows padded to whole tiles, features to the alignment. On a grid of eighths dots are
// exact in any precision, so that comparisons with limits have one right answer.
inline Matrix random_features(Precision p, int rows, int dim, bool grid, Random& random) {
  Matrix m(p, padded(rows), round_up(dim, kDimAlignment));
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<int> eighths(-4, 4);
  for (int i = 0; i < rows; ++i)
    for (int d = 0; d < dim; ++d)
      m.set(i, d, grid ? eighths(random) / 8. : (normal(random) + (d == 0)) / std::sqrt(dim));
  return m;
}

}  // namespace test
