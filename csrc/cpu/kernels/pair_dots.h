// Dots of single pairs of rows: positives where only they are asked for, and negatives of one row alone.
// They are compared with dots in tiles, so they round as those do: the same multiply-adds in the same order,
// from the same packed elements. A pair is a lane.
#pragma once

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/pack.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

template <class Isa>
void pair_dots(const MatrixView& a, const MatrixView& b, const RowPairs& p, float* out) {
  constexpr int64_t kLanes = Isa::kLanes, kBlock = 16;
  const int64_t elements = (a.dim + Isa::kPair - 1) / Isa::kPair;
  ElementReader<Isa, kBlock> left(a), right(b);
  alignas(64) float x[kBlock * kLanes] = {}, y[kBlock * kLanes] = {}, dots[kLanes];
  for (int64_t first = p.pairs.begin; first < p.pairs.end; first += kLanes) {
    const int64_t lanes = p.pairs.end - first < kLanes ? p.pairs.end - first : kLanes;
    typename Isa::V sum = Isa::zero();
    for (int64_t e0 = 0; e0 < elements; e0 += kBlock) {
      const int64_t count = elements - e0 < kBlock ? elements - e0 : kBlock;
      for (int64_t l = 0; l < lanes; ++l) {
        const float* of_a = left.read((first + l) / p.per_row, e0, count);
        const float* of_b = right.read(p.partner(first + l), e0, count);
        for (int64_t e = 0; e < count; ++e) {
          x[e * kLanes + l] = of_a[e];
          y[e * kLanes + l] = of_b[e];
        }
      }
      for (int64_t e = 0; e < count; ++e)
        sum = Isa::mac(Isa::load(y + e * kLanes), Isa::load(x + e * kLanes), sum);
    }
    Isa::store(dots, sum);
    for (int64_t l = 0; l < lanes; ++l) out[first + l] = dots[l];
  }
}

// A feature as a packed operand holds it.
template <class Isa>
INFCL_INLINE double packed_value(float x) {
  return Isa::kPair == 1 ? x : bfloat_to_float(float_to_bfloat(x));
}

template <class Isa>
double exact_dot(const MatrixView& a, int64_t row_a, const MatrixView& b, int64_t row_b) {
  constexpr int64_t kBlock = 32;
  RowReader<kBlock> left{a, {}}, right{b, {}};
  double sum = 0;
  for (int64_t d = 0; d < a.dim; d += kBlock) {
    const int64_t count = a.dim - d < kBlock ? a.dim - d : kBlock;
    const float *x = left.read(row_a, d, count), *y = right.read(row_b, d, count);
    for (int64_t q = 0; q < count; ++q) sum += packed_value<Isa>(x[q]) * packed_value<Isa>(y[q]);
  }
  return sum;
}

}  // namespace
}  // namespace infcl::cpu
