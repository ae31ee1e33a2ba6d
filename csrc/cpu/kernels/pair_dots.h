// Dots of single pairs of rows: positives that a call needs before its tiles, and hard negatives.
// The loss compares these dots with dots of tiles, so both must round in the same way. This kernel therefore
// repeats the multiply-adds of the scores kernel, in the same order, on the same packed elements. Each lane
// forms the dot of one pair.
#pragma once

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/pack.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

template <class Isa>
void pair_dots(const MatrixView& a, const MatrixView& b, const RowPairs& p, float* out) {
  constexpr int64_t kLanes = Isa::kLanes, kGroup = 16;
  const int64_t elements = (a.dim + Isa::kPair - 1) / Isa::kPair;
  ElementReader<Isa, kGroup> left(a), right(b);
  alignas(64) float lanes_of_a[kGroup * kLanes] = {}, lanes_of_b[kGroup * kLanes] = {}, dots[kLanes];
  for (int64_t first = p.pairs.begin; first < p.pairs.end; first += kLanes) {
    const int64_t lanes = p.pairs.end - first < kLanes ? p.pairs.end - first : kLanes;
    typename Isa::V sum = Isa::zero();
    for (int64_t e0 = 0; e0 < elements; e0 += kGroup) {
      const int64_t count = elements - e0 < kGroup ? elements - e0 : kGroup;
      for (int64_t l = 0; l < lanes; ++l) {
        const float* of_a = left.read((first + l) / p.per_row, e0, count);
        const float* of_b = right.read(p.partner(first + l), e0, count);
        for (int64_t e = 0; e < count; ++e) {
          lanes_of_a[e * kLanes + l] = of_a[e];
          lanes_of_b[e * kLanes + l] = of_b[e];
        }
      }
      for (int64_t e = 0; e < count; ++e)
        sum = Isa::mac(Isa::load(lanes_of_b + e * kLanes), Isa::load(lanes_of_a + e * kLanes), sum);
    }
    Isa::store(dots, sum);
    for (int64_t l = 0; l < lanes; ++l) out[first + l] = dots[l];
  }
}

// The number that a packed operand holds for this feature.
template <class Isa>
INFCL_INLINE double packed_value(float feature) {
  return Isa::kPair == 1 ? feature : bfloat_to_float(float_to_bfloat(feature));
}

template <class Isa>
double exact_dot(const MatrixView& a, int64_t row_a, const MatrixView& b, int64_t row_b) {
  constexpr int64_t kChunk = 32;
  RowReader<kChunk> left{a, {}}, right{b, {}};
  double sum = 0;
  for (int64_t d = 0; d < a.dim; d += kChunk) {
    const int64_t count = a.dim - d < kChunk ? a.dim - d : kChunk;
    const float *of_a = left.read(row_a, d, count), *of_b = right.read(row_b, d, count);
    for (int64_t q = 0; q < count; ++q) sum += packed_value<Isa>(of_a[q]) * packed_value<Isa>(of_b[q]);
  }
  return sum;
}

}  // namespace
}  // namespace infcl::cpu
