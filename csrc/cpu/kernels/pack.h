// Packs features into the layouts of table.h. No other kernel file reads the caller's features directly.
#pragma once

#include <cfloat>
#include <cstring>

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// IEEE half to float. A multiplication rebases the exponent, which also converts subnormals. Infinity stays
// infinity, NaN stays NaN.
INFCL_INLINE float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, magnitude = h & 0x7fff;
  uint32_t bits = magnitude << 13;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  f *= 0x1p112f;
  if (magnitude >= 0x7c00) {
    bits = (magnitude << 13) | 0x7f800000;
    std::memcpy(&f, &bits, sizeof f);
  }
  std::memcpy(&bits, &f, sizeof bits);
  bits |= sign;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

INFCL_INLINE float bfloat_to_float(uint16_t b) {
  const uint32_t bits = static_cast<uint32_t>(b) << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// Reads values of one row as floats. At most kPanel values of a 16-bit type are converted at a time; float32
// values are not copied.
template <int64_t kPanel>
struct RowReader {
  const MatrixView& m;
  float converted[kPanel];

  INFCL_INLINE const float* read(int64_t row, int64_t column, int64_t count) {
    const void* data = m.row(row);
    if (m.dtype == DType::kFloat32) return static_cast<const float*>(data) + column;
    const uint16_t* bits = static_cast<const uint16_t*>(data) + column;
    if (m.dtype == DType::kBFloat16) {
      for (int64_t q = 0; q < count; ++q) converted[q] = bfloat_to_float(bits[q]);
    } else {
      for (int64_t q = 0; q < count; ++q) converted[q] = half_to_float(bits[q]);
    }
    return converted;
  }
};

// Rounds to nearest even. Features are known to be finite here. A value beyond the range of
// bfloat16 becomes infinite.
INFCL_INLINE uint16_t float_to_bfloat(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// A packed element: the first value in the low 16 bits.
INFCL_INLINE float pair_of(float first, float second) {
  const uint32_t bits = float_to_bfloat(first) | static_cast<uint32_t>(float_to_bfloat(second)) << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// Reads packed elements of one row for a sum over features: floats, or pairs of neighbouring features. An odd
// last feature pairs with zero.
template <class Isa, int64_t kCount>
struct ElementReader {
  RowReader<kCount * Isa::kPair> values;
  float paired[kCount];

  explicit ElementReader(const MatrixView& m) : values{m, {}} {}

  INFCL_INLINE const float* read(int64_t row, int64_t element, int64_t count) {
    if constexpr (Isa::kPair == 1) {
      return values.read(row, element, count);
    } else {
      const int64_t left = values.m.dim - 2 * element, length = left < 2 * count ? left : 2 * count;
      const float* features = values.read(row, 2 * element, length);
      for (int64_t e = 0; e < count; ++e)
        paired[e] = pair_of(features[2 * e], 2 * e + 1 < length ? features[2 * e + 1] : 0.f);
      return paired;
    }
  }
};

template <class Isa>
void pack_panels(const MatrixView& m, Range rows, float* out, int64_t panel_rows) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const int64_t elements = (m.dim + Isa::kPair - 1) / Isa::kPair;
  ElementReader<Isa, kPanel> reader(m);
  for (int64_t r = 0; r < panel_rows; ++r) {
    const bool real = r < rows.size();
    for (int64_t d = 0; d < elements; d += kPanel) {
      float* dst = out + d * panel_rows + r * kPanel;
      const int64_t width = !real ? 0 : elements - d < kPanel ? elements - d : kPanel;
      const float* src = real ? reader.read(rows.begin + r, d, width) : nullptr;
      if (width == kPanel) {
        std::memcpy(dst, src, sizeof(float) * kPanel);
      } else {
        for (int64_t q = 0; q < kPanel; ++q) dst[q] = q < width ? src[q] : 0.f;
      }
    }
  }
}

template <class Isa>
void pack_values(const MatrixView& m, Range rows, float* out, int64_t value_rows) {
  if constexpr (Isa::kPair == 1) {
    pack_panels<Isa>(m, rows, out, value_rows);
  } else {
    constexpr int64_t kPanel = panel_width<Isa>();
    static constexpr float kZeros[kPanel] = {};
    RowReader<kPanel> first{m, {}}, second{m, {}};
    for (int64_t r = 0; r < value_rows; ++r)
      for (int64_t d = 0; d < m.dim; d += kPanel) {
        const int64_t width = m.dim - d < kPanel ? m.dim - d : kPanel, row = rows.begin + 2 * r;
        const float* low = row < rows.end ? first.read(row, d, width) : kZeros;
        const float* high = row + 1 < rows.end ? second.read(row + 1, d, width) : kZeros;
        float* dst = out + d * value_rows + r * kPanel;
        for (int64_t q = 0; q < kPanel; ++q) dst[q] = q < width ? pair_of(low[q], high[q]) : 0.f;
      }
  }
}

// Works on groups of 16 elements: reads each source row by cache lines, and writes each destination line
// while the line is in L1. A panel has more rows than the hardware prefetcher follows, so this loop fetches
// each row two groups ahead.
template <class Isa>
void pack_transposed(const MatrixView& m, Range rows, float* out) {
  constexpr int64_t kPanel = panel_width<Isa>(), kGroup = 16;
  const int64_t elements = (m.dim + Isa::kPair - 1) / Isa::kPair;
  const int64_t element_bytes = Isa::kPair * static_cast<int64_t>(dtype_size(m.dtype));
  ElementReader<Isa, kGroup> reader(m);
  for (int64_t p = 0; p < rows.size(); p += kPanel, out += elements * kPanel)
    for (int64_t d0 = 0; d0 < elements; d0 += kGroup) {
      const int64_t count = elements - d0 < kGroup ? elements - d0 : kGroup;
      for (int64_t lane = 0; lane < kPanel; ++lane) {
        const bool real = p + lane < rows.size();
        const float* src = real ? reader.read(rows.begin + p + lane, d0, count) : nullptr;
        if (d0 + 2 * kGroup < elements && real)
          __builtin_prefetch(static_cast<const char*>(m.row(rows.begin + p + lane)) +
                             (d0 + 2 * kGroup) * element_bytes);
        for (int64_t d = 0; d < count; ++d) out[(d0 + d) * kPanel + lane] = real ? src[d] : 0.f;
      }
    }
}

inline void add_scaled_row(const MatrixView& m, int64_t row, float factor, bool overwrite, float* out) {
  constexpr int64_t kChunk = 32;
  RowReader<kChunk> reader{m, {}};
  for (int64_t d = 0; d < m.dim; d += kChunk) {
    const int64_t count = m.dim - d < kChunk ? m.dim - d : kChunk;
    const float* source = reader.read(row, d, count);
    for (int64_t q = 0; q < count; ++q) out[d + q] = factor * source[q] + (overwrite ? 0.f : out[d + q]);
  }
}

// Sums the squares of a row and finds values that are not finite. v - v is 0 for every finite v and NaN for
// any other; a sum keeps a NaN.
template <class Isa>
struct RowScan {
  typename Isa::V bad[2] = {Isa::zero(), Isa::zero()}, squares[2] = {Isa::zero(), Isa::zero()};
  float bad_rest = 0, squares_rest = 0;

  INFCL_INLINE void add(const float* values, int64_t count) {
    int64_t d = 0;
    for (; d + 2 * Isa::kLanes <= count; d += 2 * Isa::kLanes)
      for (int u = 0; u < 2; ++u) {
        const typename Isa::V v = Isa::load(values + d + u * Isa::kLanes);
        bad[u] = Isa::add(bad[u], Isa::sub(v, v));
        squares[u] = Isa::fma(v, v, squares[u]);
      }
    for (; d < count; ++d) {
      bad_rest += values[d] - values[d];
      squares_rest += values[d] * values[d];
    }
  }
  bool finite() const { return Isa::hsum(Isa::add(bad[0], bad[1])) + bad_rest == 0; }
  float sum_of_squares() const { return Isa::hsum(Isa::add(squares[0], squares[1])) + squares_rest; }
};

// For rows whose sum of squares is beyond the range of float32.
inline double wide_sum_of_squares(const MatrixView& m, int64_t row) {
  RowReader<1> reader{m, {}};
  double sum = 0;
  for (int64_t d = 0; d < m.dim; ++d) {
    const double value = *reader.read(row, d, 1);
    sum += value * value;
  }
  return sum;
}

template <class Isa>
int64_t find_not_finite(const MatrixView& m, Range rows, double* longest) {
  constexpr int64_t kChunk = 256;
  RowReader<kChunk> reader{m, {}};
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    RowScan<Isa> scan;
    for (int64_t d = 0; d < m.dim; d += kChunk) {
      const int64_t count = m.dim - d < kChunk ? m.dim - d : kChunk;
      scan.add(reader.read(i, d, count), count);
    }
    if (scan.finite()) {
      double squares = scan.sum_of_squares();
      if (!(squares <= FLT_MAX)) squares = wide_sum_of_squares(m, i);
      *longest = squares > *longest ? squares : *longest;
      continue;
    }
    for (int64_t d = 0; d < m.dim; ++d) {
      const float value = *reader.read(i, d, 1);
      if (value - value != 0) return i * m.dim + d;
    }
  }
  return -1;
}

}  // namespace
}  // namespace infcl::cpu
