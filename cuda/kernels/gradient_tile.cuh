// A tile of a gradient: where the tile lies, which logit gradients it sums over, and how the sums are
// written. All forms of `accumulate` use this file.
#pragma once

#include "tile.cuh"

namespace infcl::cuda {

// Which tile this block makes, and over which rows or columns of G it sums, kStep at a time.
template <int kStep>
struct GradientTile {
  int row, feature;  // of the tile's corner
  int begin, end;    // the range of the sum, whole steps; G is zero beyond the macro-block
  int features;      // that exist in the tile

  INFCL_DEVICE GradientTile(const AccumulateArgs& a, bool of_rows, int tile)
      : row(tile * kTile), feature(static_cast<int>(blockIdx.x) * kTile), begin(0) {
    features = min(kTile, a.padded_dim - feature);
    end = ((of_rows ? a.column_count : a.row_count) + kStep - 1) / kStep * kStep;
    if (!a.triangle) return;
    if (of_rows) {
      begin = row;
    } else {
      end = min(row + kTile, end);
    }
  }
  INFCL_DEVICE int steps() const { return (end - begin) / kStep; }
};

// How many pairs of sums a thread reads before it writes the first. If reads and writes alternated, each read
// would wait for memory: the compiler must assume that a write changes the next read's value.
constexpr int kPairsAtOnce = 8;

// out (+)= factor * sums. A pair is two neighbouring features.
template <class Layout, int kStep>
INFCL_DEVICE void write_gradient(const GradientProduct& p, const GradientTile<kStep>& tile, int64_t stride,
                                 float factor, const Patch<Layout>& sums) {
  using Patch = Patch<Layout>;
  constexpr int kPairsOfRow = Patch::kColumns / 2, kPairs = Patch::kRows * kPairsOfRow;
  static_assert(kPairs % kPairsAtOnce == 0, "whole batches");
  static_assert(kPairsOfRow % kPairsAtOnce == 0 || kPairsAtOnce % kPairsOfRow == 0,
                "a batch is whole rows, or in one row");
  constexpr int kColumnsAtOnce = 8 * (kPairsOfRow < kPairsAtOnce ? kPairsOfRow : kPairsAtOnce);
  static_assert(kDimAlignment % kColumnsAtOnce == 0, "all features of a batch exist, or none");
  const bool overwrite = p.overwrite;
  const int first_row = tile.row + Patch::row(0), rows = p.count - first_row;
  const int first_column = Patch::column(0), columns = tile.features - first_column;
  float* const out = p.out + first_row * stride + (tile.feature + first_column);
  // 8 is the distance between a thread's rows, and between its pairs in a row
  const auto row = [](int pair) { return pair / kPairsOfRow * 8; };
  const auto column = [](int pair) { return pair % kPairsOfRow * 8; };
  const auto at = [&](int pair) {
    return reinterpret_cast<float2*>(out + row(pair) * stride + column(pair));
  };
#pragma unroll
  for (int first = 0; first < kPairs; first += kPairsAtOnce) {
    if (column(first) >= columns || row(first) >= rows) continue;
    float2 before[kPairsAtOnce];
#pragma unroll
    for (int i = 0; i < kPairsAtOnce; ++i) {
      before[i] = make_float2(0, 0);
      if (!overwrite && row(first + i) < rows) before[i] = *at(first + i);
    }
#pragma unroll
    for (int i = 0; i < kPairsAtOnce; ++i) {
      const int pair = first + i, r = pair / kPairsOfRow, c = pair % kPairsOfRow * 2;
      if (row(pair) < rows)
        *at(pair) =
            make_float2(before[i].x + factor * sums.at(r, c), before[i].y + factor * sums.at(r, c + 1));
    }
  }
}

}  // namespace infcl::cuda
