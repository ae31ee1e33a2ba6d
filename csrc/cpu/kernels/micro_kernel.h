// The micro-tile: MR rows of a broadcast operand against one panel of a vector operand, over k.
// Everything fast about the CPU backend is here. Only kernel files include this; it lives in an unnamed
// namespace, so that code compiled for one instruction set can never be linked into another's.
#pragma once

#include <cstdint>

#define INFCL_INLINE inline __attribute__((always_inline))
#define INFCL_NOINLINE __attribute__((noinline))

namespace infcl::cpu {
namespace {

template <class Isa>
constexpr int64_t panel_width() {
  return Isa::kLanes * Isa::kVectors;
}

// Fetches the rows of the result micro-tile during the last steps of the product, one every four steps. All
// at once, they would fill the miss buffers and stall the operand loads; earlier, the operands that stream
// through L1 would push them out again; not at all, the micro-tile waits for memory at its end.
template <class Isa, int MR>
struct ResultPrefetch {
  // Fours of steps left to the last row. It may come from memory; these take some 300 ns.
  static constexpr int64_t kMargin = 16;

  const float* row;
  int64_t stride;
  int64_t wait;  // fours of steps before the first row
  int left = MR;

  ResultPrefetch(const float* first, int64_t row_stride, int64_t steps)
      : row(first), stride(row_stride), wait(steps / 4 - MR - kMargin) {}

  INFCL_INLINE void next() {
    if (wait-- > 0 || left == 0) return;
    for (int64_t q = 0; q < panel_width<Isa>(); q += 16) __builtin_prefetch(row + q, 1, 3);
    __builtin_prefetch(row + panel_width<Isa>() - 1, 1, 3);  // rows of a caller's arrays begin within a line
    row += stride;
    --left;
  }
};

template <class Isa, int MR>
struct MicroTile {
  typename Isa::V acc[MR][Isa::kVectors];

  INFCL_INLINE void clear() {
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < Isa::kVectors; ++v) acc[r][v] = Isa::zero();
  }

  template <int AK, int AR>
  INFCL_INLINE void step(const float* a, const float* b) {
    typename Isa::V bv[Isa::kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < Isa::kVectors; ++v) bv[v] = Isa::load(b + v * Isa::kLanes);
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r) {
      const typename Isa::V av = Isa::set1(a[r * AR]);
#pragma GCC unroll 4
      for (int v = 0; v < Isa::kVectors; ++v) acc[r][v] = Isa::mac(av, bv[v], acc[r][v]);
    }
  }

  // acc[r][:] += sum_k a[k * AK + r * AR] * b[k][:]. `ahead`, when not null, is what this operand reads next:
  // MR * count floats in a row, fetched on the way.
  template <int AK, int AR>
  INFCL_INLINE void run(const float* a, const float* b, int64_t count, ResultPrefetch<Isa, MR>& result,
                        const float* ahead) {
    constexpr int64_t kPanel = panel_width<Isa>();
    constexpr int kLinesAhead = (MR + 3) / 4;  // 4 steps use 4 * MR floats of the operand
    int64_t k = 0;
#pragma GCC unroll 1
    for (; k + 4 <= count; k += 4, a += 4 * AK, b += 4 * kPanel) {
      result.next();
      if (ahead) {
#pragma GCC unroll 4
        for (int l = 0; l < kLinesAhead; ++l) __builtin_prefetch(ahead + l * 16, 0, 3);
        ahead += kLinesAhead * 16;
      }
#pragma GCC unroll 4
      for (int u = 0; u < 4; ++u) {
        step<AK, AR>(a + u * AK, b + u * kPanel);
        // Keeps the next step's loads from being hoisted into this one, which would spill accumulators.
        asm volatile("" : "+r"(a), "+r"(b));
      }
    }
#pragma GCC unroll 1
    for (; k < count; ++k, a += AK, b += kPanel) step<AK, AR>(a, b);
  }

  INFCL_INLINE void store(float* c, int64_t stride) const {
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < Isa::kVectors; ++v) Isa::store(c + r * stride + v * Isa::kLanes, acc[r][v]);
  }

  INFCL_INLINE void add_to(float* c, int64_t stride) const {
#pragma GCC unroll 32
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < Isa::kVectors; ++v) {
        float* p = c + r * stride + v * Isa::kLanes;
        Isa::store(p, Isa::add(Isa::load(p), acc[r][v]));
      }
  }

  // The same for a micro-tile that hangs over the edge.
  INFCL_INLINE void write_part(float* c, int64_t stride, int64_t rows, int64_t width, bool overwrite) const {
    alignas(64) float whole[MR * panel_width<Isa>()];
    store(whole, panel_width<Isa>());
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t q = 0; q < width; ++q) {
        const float value = whole[r * panel_width<Isa>() + q];
        c[r * stride + q] = overwrite ? value : c[r * stride + q] + value;
      }
  }
};

}  // namespace
}  // namespace infcl::cpu
