// Comparisons of a tile's scores with a limit of each row, while the tile is in L2. Few scores pass, so a
// vector of scores costs a load, a comparison and a branch that is rarely taken.
#pragma once

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

template <class Isa>
int64_t list_greater(const TileOperands& tile, Range columns, const float* scores, int64_t stride,
                     const ScoreLimits& limits, uint32_t* out) {
  uint32_t* const first = out;
  for (int64_t i = 0; i < tile.rows; i += Isa::kLanes) {
    const typename Isa::V least = Isa::load(limits.least + i);
    const unsigned rows = tile.rows - i < Isa::kLanes ? (1u << (tile.rows - i)) - 1 : ~0u;
    for (int64_t j = columns.begin; j < columns.end; ++j) {
      const typename Isa::V score = Isa::load(scores + j * stride + i);
      unsigned found = Isa::lanes_greater(score, least) & rows;
      if (found == 0) continue;
      if (limits.most) found &= ~Isa::lanes_greater(score, Isa::load(limits.most + i));
      for (; found != 0; found &= found - 1) *out++ = listed_at(i + __builtin_ctz(found), j);
    }
  }
  return out - first;
}

// Numbers of columns are small integers, which float32 holds.
template <class Isa>
INFCL_INLINE void store_counts(typename Isa::V counts, int32_t* out) {
  alignas(64) float lanes[Isa::kLanes];
  Isa::store(lanes, counts);
  for (int64_t l = 0; l < Isa::kLanes; ++l) out[l] = static_cast<int32_t>(lanes[l]);
}

template <class Isa>
void count_greater(const TileOperands& tile, const float* scores, int64_t stride, const float* limits,
                   int32_t* greater, int32_t* below) {
  for (int64_t i = 0; i < tile.rows; i += Isa::kLanes) {
    const typename Isa::V limit = Isa::load(limits + i);
    typename Isa::V above = Isa::zero(), under = Isa::zero();
    for (int64_t j = 0; j < tile.columns; ++j) {
      const typename Isa::V score = Isa::load(scores + j * stride + i);
      above = Isa::count_greater(above, score, limit);
      under = Isa::count_greater(under, limit, score);
    }
    store_counts<Isa>(above, greater + i);
    store_counts<Isa>(under, below + i);
  }
}

}  // namespace
}  // namespace infcl::cpu
