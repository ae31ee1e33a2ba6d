// The micro-tile: MR rows of a broadcast operand times one panel of a vector operand, summed over k in
// registers. The speed of the CPU backend depends on this file more than on any other. All code here is in an
// unnamed namespace: the linker can never take a function of one instruction set for another.
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

// Fetches the rows of the result during the last steps of the product, one row every four steps. Fetched all
// at once, rows would fill the miss buffers and stall the loads of operands. Fetched earlier, rows would be
// pushed out of L1 by the operands. Not fetched, each micro-tile would wait for memory at its end.
template <class Isa, int MR>
struct ResultPrefetch {
  // Groups of four steps after the last fetch: some 300 ns, in which the row may come from memory.
  static constexpr int64_t kMargin = 16;

  const float* row;
  int64_t stride;
  int64_t wait;   // groups of four steps before the first fetch
  int left = MR;  // rows not fetched yet

  ResultPrefetch(const float* first, int64_t row_stride, int64_t steps)
      : row(first), stride(row_stride), wait(steps / 4 - MR - kMargin) {}

  INFCL_INLINE void next() {
    if (wait-- > 0 || left == 0) return;
    for (int64_t q = 0; q < panel_width<Isa>(); q += 16) __builtin_prefetch(row + q, 1, 3);
    __builtin_prefetch(row + panel_width<Isa>() - 1, 1, 3);  // a caller's rows may begin inside a cache line
    row += stride;
    --left;
  }
};

// The accumulators of MR rows by one panel.
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
      const float element = a[r * AR];
#pragma GCC unroll 4
      for (int v = 0; v < Isa::kVectors; ++v) acc[r][v] = Isa::mac_element(element, bv[v], acc[r][v]);
    }
  }

  // acc[r][:] += sum_k a[k * AK + r * AR] * b[k][:]. `ahead` is null, or points to MR * count neighbouring
  // floats that a later product reads: this product fetches these into the cache.
  template <int AK, int AR>
  INFCL_INLINE void run(const float* a, const float* b, int64_t count, ResultPrefetch<Isa, MR>& result,
                        const float* ahead) {
    constexpr int64_t kPanel = panel_width<Isa>();
    constexpr int kLinesAhead = (MR + 3) / 4;  // 4 steps use 4 * MR floats of `a`
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
        // Without this, the compiler loads for the next step too early and spills accumulators.
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

  // Stores or adds the first `rows` and `width` of a micro-tile that reaches beyond the edge of the result.
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
