// The forward pass's part for a tile of dots: partial sums along the tile's rows and columns.
//
// One exponential serves both directions. Its shift is the tile's largest logit, rounded up to an
// integer. The kernel sums the tile again, with a shift for each row and column, in two cases. A sum
// below kSmallestTrustedSum may have lost terms to underflow. A large shift is out of the quick
// exponential's range.
#pragma once

#include "logit.cuh"

namespace infcl::cuda {

template <class Layout>
struct FoldStorage {
  TileMask mask;
  RowParts<Layout> row_max, row_sum, row_dot_sum, row_count, row_positive_sum, row_positive_max;
  ColumnParts<Layout> column_max, column_sum, column_dot_sum, column_count, column_positive_sum;
  float row_shift[kTile], column_shift[kTile];
  float warp_max[kWarpsOfBlock];
  int warp_masked[kWarpsOfBlock];
};

// Folds value(r, c) along columns with op. `none`: the value of a column without elements.
template <class Layout, class Op, class F>
INFCL_DEVICE void collect_by_column(ColumnParts<Layout>& out, float none, Op op, F value) {
#pragma unroll
  for (int first = 0; first < Patch<Layout>::kColumns; first += kEight) {
    EightColumns values;
    fill(values, none);
#pragma unroll
    for (int c = 0; c < kEight; ++c)
#pragma unroll
      for (int r = 0; r < Patch<Layout>::kRows; ++r) values[c] = op(values[c], value(r, first + c));
    collect_columns<Layout>(values, first, out, op);
  }
}

// Folds value(r, c) along rows with op. `none`: the value of a row without elements.
template <class Layout, class Op, class F>
INFCL_DEVICE void collect_by_row(RowParts<Layout>& out, float none, Op op, F value) {
  RowValues<Layout> values;
  fill(values, none);
#pragma unroll
  for (int r = 0; r < Patch<Layout>::kRows; ++r)
#pragma unroll
    for (int c = 0; c < Patch<Layout>::kColumns; ++c) values[r] = op(values[r], value(r, c));
  collect_rows<Layout>(values, out, op);
}

template <class Layout>
INFCL_DEVICE void collect_row_maxima(const Patch<Layout>& dots, FoldStorage<Layout>& s) {
  RowValues<Layout> most;
  float all = kMaskedDot;
#pragma unroll
  for (int r = 0; r < Patch<Layout>::kRows; ++r) {
    most[r] = kMaskedDot;
#pragma unroll
    for (int c = 0; c < Patch<Layout>::kColumns; ++c) most[r] = fmaxf(most[r], dots.at(r, c));
    all = fmaxf(all, most[r]);
  }
  collect_rows<Layout>(most, s.row_max, Max{});
  all = fold_warp(all, Max{});
  if (lane_id() == 0) s.warp_max[warp_id()] = all;
}

// Label smoothing: the sums and the numbers of the dots that count.
template <class Layout>
INFCL_DEVICE void collect_dots(const Patch<Layout>& dots, FoldStorage<Layout>& s) {
  collect_sums<Layout>(s.row_dot_sum, s.column_dot_sum,
                       [&](int r, int c) { return is_masked(dots.at(r, c)) ? 0 : dots.at(r, c); });
  collect_sums<Layout>(s.row_count, s.column_count,
                       [&](int r, int c) { return is_masked(dots.at(r, c)) ? 0.f : 1.f; });
}

template <class Layout>
INFCL_DEVICE void collect_class_positives(const Patch<Layout>& dots, FoldStorage<Layout>& s) {
  const auto positive = [&](int r, int c) {
    return !is_masked(dots.at(r, c)) && same_class(s.mask, Patch<Layout>::row(r), Patch<Layout>::column(c));
  };
  collect_sums<Layout>(s.row_positive_sum, s.column_positive_sum,
                       [&](int r, int c) { return positive(r, c) ? dots.at(r, c) : 0; });
  collect_by_row<Layout>(s.row_positive_max, kMaskedDot, Max{},
                         [&](int r, int c) { return positive(r, c) ? dots.at(r, c) : kMaskedDot; });
}

// Sums the tile with one shift for all. Returns whether the sum of the thread's own row or column can
// be trusted.
template <class Layout>
INFCL_DEVICE bool sum_one_shift(const Logit& logit, const Patch<Layout>& dots, const TilePosition& tile,
                                FoldStorage<Layout>& s) {
  const float most = fold_block(s.warp_max, Max{}), shift = logit.ceiling(most);
  collect_sums<Layout>(s.row_sum, s.column_sum,
                       [&](int r, int c) { return logit.quick_exp2(dots.at(r, c), shift, 1); });
  Layout::sync();
  const int i = owned();
  if (owns_row()) {
    s.row_shift[i] = shift;
    return (fabsf(shift) <= kLargestQuickShift && fold_parts(s.row_sum, i, Sum{}) >= kSmallestTrustedSum) ||
           is_masked(fold_parts(s.row_max, i, Max{}));
  }
  s.column_shift[i] = shift;
  return fold_parts(s.column_sum, i, Sum{}) >= kSmallestTrustedSum || i >= tile.columns || tile.on_diagonal;
}

template <class Layout>
INFCL_DEVICE void sum_own_shifts(const Logit& logit, const Patch<Layout>& dots, FoldStorage<Layout>& s) {
  collect_by_column<Layout>(s.column_max, kMaskedDot, Max{}, [&](int r, int c) { return dots.at(r, c); });
  Layout::sync();
  const int i = owned();
  if (owns_row()) {
    s.row_shift[i] = logit.ceiling(fold_parts(s.row_max, i, Max{}));
  } else {
    s.column_shift[i] = logit.ceiling(fold_parts(s.column_max, i, Max{}));
  }
  Layout::sync();
  collect_terms<Layout>(s.row_sum, s.column_sum, [&](int r, int c) {
    const SplitLogit x(logit, dots.at(r, c));
    return Terms{x.exp2(s.row_shift[Patch<Layout>::row(r)]),
                 x.exp2(s.column_shift[Patch<Layout>::column(c)])};
  });
  Layout::sync();
}

// Sums softplus(x) along rows. The sigmoid loss has no normalisers along columns.
template <class Layout>
INFCL_DEVICE void sum_softplus(const SigmoidLogit& logit, const Patch<Layout>& dots, FoldStorage<Layout>& s) {
  collect_by_row<Layout>(s.row_sum, 0, Sum{}, [&](int r, int c) { return logit.softplus(dots.at(r, c)); });
  if (owns_row()) s.row_shift[owned()] = 0;
  Layout::sync();
}

INFCL_DEVICE float or_none(float max_dot) { return is_masked(max_dot) ? -INFINITY : max_dot; }

template <bool kPlain, class Layout>
INFCL_DEVICE Partial row_partial(const FoldStorage<Layout>& s, int i, bool classes) {
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

template <bool kPlain, class Layout>
INFCL_DEVICE Partial column_partial(const FoldStorage<Layout>& s, int i, bool classes) {
  Partial p{s.column_shift[i], fold_parts(s.column_sum, i, Sum{}), -INFINITY, -INFINITY};
  if constexpr (!kPlain) {
    p.dot_sum = fold_parts(s.column_dot_sum, i, Sum{});
    p.count = static_cast<int32_t>(fold_parts(s.column_count, i, Sum{}));
    if (classes) p.positive_dot_sum = fold_parts(s.column_positive_sum, i, Sum{});
  }
  return p;
}

template <bool kPlain, class Layout>
INFCL_DEVICE void write_partials(const ForwardArgs& args, const TilePosition& tile,
                                 const FoldStorage<Layout>& s) {
  const int i = owned();
  const bool classes = args.scores.mask.row_classes;
  if (owns_row()) {
    const int64_t padded = tiles_of(args.scores.row_count) * kTile;
    args.row_partials[blockIdx.y * padded + tile.local_row + i] = row_partial<kPlain>(s, i, classes);
  } else if (args.column_partials && !tile.on_diagonal) {
    const int64_t padded = static_cast<int64_t>(gridDim.y) * kTile;
    args.column_partials[blockIdx.x * padded + tile.local_column + i] = column_partial<kPlain>(s, i, classes);
  }
}

template <bool kPlain, class Layout>
INFCL_DEVICE void fold_tile(const ForwardArgs& args, const TilePosition& tile, Patch<Layout>& dots,
                            FoldStorage<Layout>& s) {
  int masked = 0;
  if (load_mask<kPlain, Layout>(args.scores, tile, s.mask))
    masked = exclude<kPlain>(args.scores, tile, s.mask, dots, [&](int row, float dot) {
      if (args.positive_dots) args.positive_dots[tile.local_row + row] = dot;
    });
  collect_row_maxima(dots, s);
  if constexpr (!kPlain) {
    collect_dots(dots, s);
    if (args.scores.mask.row_classes) collect_class_positives(dots, s);
    masked = fold_warp(masked, Sum{});
    if (lane_id() == 0) s.warp_masked[warp_id()] = masked;
  }
  Layout::sync();
  if (args.scores.sigmoid) {
    sum_softplus(SigmoidLogit(args.scores), dots, s);
  } else {
    const Logit logit(args.scores);
    if (Layout::sync_or(!sum_one_shift(logit, dots, tile, s))) sum_own_shifts(logit, dots, s);
  }
  write_partials<kPlain>(args, tile, s);
  if (threadIdx.x == 0) {
    if constexpr (!kPlain) masked = fold_block(s.warp_masked, Sum{});
    // a diagonal tile has every pair twice
    args.tile_sums[static_cast<int64_t>(blockIdx.x) * gridDim.y + blockIdx.y] = {
        0, 0, tile.on_diagonal ? masked / 2 : masked, 0};
  }
}

}  // namespace infcl::cuda
