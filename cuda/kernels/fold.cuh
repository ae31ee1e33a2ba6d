// What the forward pass does with a tile of dots: partial sums along its rows and columns.
//
// One exponential serves both directions: the whole tile is shifted by its own maximum, rounded up to an
// integer. When that shift hides part of some row or column (its sum is below 2^-60, so terms may have
// underflowed) or the logits are so large that a float holds no fraction of them, the tile is summed again
// with a shift of each row's and column's own.
#pragma once

#include "logit.cuh"

namespace infcl::cuda {

constexpr float kSmallestTrustedSum = 0x1p-60f;
constexpr float kLargestTrustedShift = 0x1p20f;

struct FoldStorage {
  TileRules rules;
  RowParts row_max, row_sum, row_dot_sum, row_count, row_positive_sum, row_positive_max;
  ColumnParts column_max, column_sum, column_dot_sum, column_count, column_positive_sum;
  float row_shift[kTile], column_shift[kTile];
  float warp_max[kWarpsOfBlock];
  int warp_masked[kWarpsOfBlock];
};

using Side = float[Patch::kSide];

INFCL_DEVICE void clear(Side& values) {
#pragma unroll
  for (int i = 0; i < Patch::kSide; ++i) values[i] = 0;
}

// term(r, c) summed along rows and columns
template <class F>
INFCL_DEVICE void collect_sums(RowParts& rows, ColumnParts& columns, F term) {
  Side row_sums, column_sums;
  clear(row_sums);
  clear(column_sums);
#pragma unroll
  for (int r = 0; r < Patch::kSide; ++r)
#pragma unroll
    for (int c = 0; c < Patch::kSide; ++c) {
      const float value = term(r, c);
      row_sums[r] += value;
      column_sums[c] += value;
    }
  collect_rows(row_sums, rows, Sum{});
  collect_columns(column_sums, columns, Sum{});
}

INFCL_DEVICE void collect_row_maxima(const Patch& dots, FoldStorage& s) {
  Side most;
  float all = kMaskedDot;
#pragma unroll
  for (int r = 0; r < Patch::kSide; ++r) {
    most[r] = kMaskedDot;
#pragma unroll
    for (int c = 0; c < Patch::kSide; ++c) most[r] = fmaxf(most[r], dots.at(r, c));
    all = fmaxf(all, most[r]);
  }
  collect_rows(most, s.row_max, Max{});
  all = fold_warp(all, Max{});
  if (lane_id() == 0) s.warp_max[warp_id()] = all;
}

INFCL_DEVICE void collect_column_maxima(const Patch& dots, FoldStorage& s) {
  Side most;
#pragma unroll
  for (int c = 0; c < Patch::kSide; ++c) {
    most[c] = kMaskedDot;
#pragma unroll
    for (int r = 0; r < Patch::kSide; ++r) most[c] = fmaxf(most[c], dots.at(r, c));
  }
  collect_columns(most, s.column_max, Max{});
}

// Label smoothing's sums and numbers of dots that count.
INFCL_DEVICE void collect_dots(const Patch& dots, FoldStorage& s) {
  collect_sums(s.row_dot_sum, s.column_dot_sum,
               [&](int r, int c) { return is_masked(dots.at(r, c)) ? 0 : dots.at(r, c); });
  collect_sums(s.row_count, s.column_count,
               [&](int r, int c) { return is_masked(dots.at(r, c)) ? 0.f : 1.f; });
}

INFCL_DEVICE void collect_class_positives(const Patch& dots, FoldStorage& s) {
  const auto positive = [&](int r, int c) {
    return !is_masked(dots.at(r, c)) && same_class(s.rules, Patch::row(r), Patch::column(c));
  };
  collect_sums(s.row_positive_sum, s.column_positive_sum,
               [&](int r, int c) { return positive(r, c) ? dots.at(r, c) : 0; });
  Side most;
#pragma unroll
  for (int r = 0; r < Patch::kSide; ++r) {
    most[r] = kMaskedDot;
#pragma unroll
    for (int c = 0; c < Patch::kSide; ++c)
      if (positive(r, c)) most[r] = fmaxf(most[r], dots.at(r, c));
  }
  collect_rows(most, s.row_positive_max, Max{});
}

// Sums with one shift for all, and whether the owned row's or column's says enough.
INFCL_DEVICE bool sum_one_shift(const Logit& logit, const Patch& dots, const TilePosition& tile,
                                FoldStorage& s) {
  const float most = fold_block(s.warp_max, Max{}), shift = logit.ceiling(most);
  collect_sums(s.row_sum, s.column_sum, [&](int r, int c) { return logit.exp2(dots.at(r, c), shift, 1); });
  __syncthreads();
  const int i = owned();
  if (owns_row()) {
    s.row_shift[i] = shift;
    return (fabsf(shift) <= kLargestTrustedShift && fold_parts(s.row_sum, i, Sum{}) >= kSmallestTrustedSum) ||
           is_masked(fold_parts(s.row_max, i, Max{}));
  }
  s.column_shift[i] = shift;
  return fold_parts(s.column_sum, i, Sum{}) >= kSmallestTrustedSum || i >= tile.columns || tile.on_diagonal;
}

INFCL_DEVICE void sum_own_shifts(const Logit& logit, const Patch& dots, FoldStorage& s) {
  collect_column_maxima(dots, s);
  __syncthreads();
  const int i = owned();
  if (owns_row()) {
    s.row_shift[i] = logit.ceiling(fold_parts(s.row_max, i, Max{}));
  } else {
    s.column_shift[i] = logit.ceiling(fold_parts(s.column_max, i, Max{}));
  }
  __syncthreads();
  Side sums;
#pragma unroll
  for (int r = 0; r < Patch::kSide; ++r) {
    const float shift = s.row_shift[Patch::row(r)];
    sums[r] = 0;
#pragma unroll
    for (int c = 0; c < Patch::kSide; ++c) sums[r] += logit.exp2(dots.at(r, c), shift, 1);
  }
  collect_rows(sums, s.row_sum, Sum{});
#pragma unroll
  for (int c = 0; c < Patch::kSide; ++c) {
    const float shift = s.column_shift[Patch::column(c)];
    sums[c] = 0;
#pragma unroll
    for (int r = 0; r < Patch::kSide; ++r) sums[c] += logit.exp2(dots.at(r, c), shift, 1);
  }
  collect_columns(sums, s.column_sum, Sum{});
  __syncthreads();
}

// softplus(x) along rows; siglip has no normalisers along columns
INFCL_DEVICE void sum_softplus(const SigmoidLogit& logit, const Patch& dots, FoldStorage& s) {
  Side sums;
#pragma unroll
  for (int r = 0; r < Patch::kSide; ++r) {
    sums[r] = 0;
#pragma unroll
    for (int c = 0; c < Patch::kSide; ++c) sums[r] += logit.softplus(dots.at(r, c));
  }
  collect_rows(sums, s.row_sum, Sum{});
  if (owns_row()) s.row_shift[owned()] = 0;
  __syncthreads();
}

INFCL_DEVICE float or_none(float max_dot) { return is_masked(max_dot) ? -INFINITY : max_dot; }

template <bool kPlain>
INFCL_DEVICE Partial row_partial(const FoldStorage& s, int i, bool classes) {
  Partial p{s.row_shift[i], fold_parts(s.row_sum, i, Sum{}), or_none(fold_parts(s.row_max, i, Max{})),
            -INFINITY};
  if constexpr (!kPlain) {
    p.dot_sum = fold_parts(s.row_dot_sum, i, Sum{});
    p.count = static_cast<int32_t>(fold_parts(s.row_count, i, Sum{}));
    if (classes) {
      p.positive_dot_sum = fold_parts(s.row_positive_sum, i, Sum{});
      p.positive_max_dot = or_none(fold_parts(s.row_positive_max, i, Max{}));
    }
  }
  return p;
}

template <bool kPlain>
INFCL_DEVICE Partial column_partial(const FoldStorage& s, int i, bool classes) {
  Partial p{s.column_shift[i], fold_parts(s.column_sum, i, Sum{}), -INFINITY, -INFINITY};
  if constexpr (!kPlain) {
    p.dot_sum = fold_parts(s.column_dot_sum, i, Sum{});
    p.count = static_cast<int32_t>(fold_parts(s.column_count, i, Sum{}));
    if (classes) p.positive_dot_sum = fold_parts(s.column_positive_sum, i, Sum{});
  }
  return p;
}

template <bool kPlain>
INFCL_DEVICE void write_partials(const ForwardArgs& args, const TilePosition& tile, const FoldStorage& s) {
  const int i = owned();
  const bool classes = args.scores.rules.row_classes;
  if (owns_row()) {
    const int64_t padded = static_cast<int64_t>(gridDim.x) * kTile;
    args.row_partials[blockIdx.y * padded + tile.block_row + i] = row_partial<kPlain>(s, i, classes);
  } else if (args.column_partials && !tile.on_diagonal) {
    const int64_t padded = static_cast<int64_t>(gridDim.y) * kTile;
    args.column_partials[blockIdx.x * padded + tile.block_column + i] = column_partial<kPlain>(s, i, classes);
  }
}

template <bool kPlain>
INFCL_DEVICE void fold_tile(const ForwardArgs& args, const TilePosition& tile, Patch& dots, FoldStorage& s) {
  int masked = 0;
  if (load_rules<kPlain>(args.scores, tile, s.rules))
    masked = exclude<kPlain>(args.scores, tile, s.rules, dots, [&](int row, float dot) {
      if (args.positive_dots) args.positive_dots[tile.block_row + row] = dot;
    });
  collect_row_maxima(dots, s);
  if constexpr (!kPlain) {
    collect_dots(dots, s);
    if (args.scores.rules.row_classes) collect_class_positives(dots, s);
    masked = fold_warp(masked, Sum{});
    if (lane_id() == 0) s.warp_masked[warp_id()] = masked;
  }
  __syncthreads();
  if (args.scores.sigmoid) {
    sum_softplus(SigmoidLogit(args.scores), dots, s);
  } else {
    const Logit logit(args.scores);
    if (__syncthreads_or(!sum_one_shift(logit, dots, tile, s))) sum_own_shifts(logit, dots, s);
  }
  write_partials<kPlain>(args, tile, s);
  if (threadIdx.x == 0) {
    if constexpr (!kPlain) masked = fold_block(s.warp_masked, Sum{});
    // the diagonal tile shows every pair twice
    args.tile_sums[static_cast<int64_t>(blockIdx.x) * gridDim.y + blockIdx.y] = {
        0, 0, tile.on_diagonal ? masked / 2 : masked};
  }
}

}  // namespace infcl::cuda
