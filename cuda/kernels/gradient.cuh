// The backward pass's part for a tile of dots: logit gradients, rounded to 16 bits for the products
// that follow.
//
// One exponential per pair is enough if all normalisers of the tile are within 2^100 of each other. Both
// terms of g use a shift c in the middle of the normalisers' shifts:
//   2^(x - c) (row_factor 2^(c - row_shift) + column_factor 2^(c - column_shift)).
// Otherwise each term has an exponential of its own, and so has each term if a shift is out of the quick
// exponential's range.
#pragma once

#include "logit.cuh"

namespace infcl::cuda {

struct GradientStorage {
  alignas(16) uint16_t g[kTile * kTile];
  TileMask mask;
  float row_factor[kTile], column_factor[kTile];
  float row_shift[kTile], column_shift[kTile];
  float row_uniform[kTile], column_uniform[kTile];
  float row_class_weight[kTile], column_class_weight[kTile];
  float warp_low[kWarpsOfBlock], warp_high[kWarpsOfBlock];
  double warp_dot_sum[kWarpsOfBlock], warp_sum[kWarpsOfBlock];
};

INFCL_DEVICE float load_or(const float* from, int i, float none) { return from ? from[i] : none; }

// The factors of the thread's own row or column. Columns of a triangle's diagonal tile have no factors: the
// tile has both orders of a pair. Each order uses the dot from which the row's normaliser was folded. The
// products of two planes give other bits in the other order, and the last bit of a large logit is whole
// powers of two.
struct Anchor {
  float factor = 0, shift = kNoTerm, uniform = 0, class_weight = 0;

  INFCL_DEVICE Anchor(const BackwardArgs& a, const TilePosition& tile) {
    const bool row = owns_row();
    if (owned() >= (row ? tile.rows : tile.columns) || (!row && tile.on_diagonal)) return;
    const int i = (row ? tile.local_row : tile.local_column) + owned();
    factor = load_or(row ? a.row_factors : a.column_factors, i, 0);
    uniform = load_or(row ? a.row_uniform : a.column_uniform, i, 0);
    class_weight = load_or(row ? a.row_class_weights : a.column_class_weights, i, 0);
    if (factor != 0 && !a.scores.sigmoid) shift = (row ? a.row_shifts : a.column_shifts)[i];
  }
  INFCL_DEVICE void store(GradientStorage& s) const {
    const int i = owned();
    const bool row = owns_row();
    (row ? s.row_factor : s.column_factor)[i] = factor;
    (row ? s.row_shift : s.column_shift)[i] = shift;
    (row ? s.row_uniform : s.column_uniform)[i] = uniform;
    (row ? s.row_class_weight : s.column_class_weight)[i] = class_weight;
  }
};

// 2^n as a normal float32.
INFCL_DEVICE float power_of_two(float n) { return __int_as_float((static_cast<int>(n) + 127) << 23); }

struct Spread {
  bool one_exponential;
  float shift;  // of the one exponential
};

// Loads the mask and the factors, and ends with a barrier; the caller's barrier comes before. Returns whether
// exclude() has work.
template <bool kPlain, class Layout>
INFCL_DEVICE bool load_gradient(const BackwardArgs& a, const TilePosition& tile, GradientStorage& s,
                                Spread& spread) {
  Anchor anchor(a, tile);
  const bool term = anchor.shift < kNoTerm;
  const float low = fold_warp(term ? anchor.shift : INFINITY, Min{});
  const float high = fold_warp(term ? anchor.shift : -INFINITY, Max{});
  if (lane_id() == 0) {
    s.warp_low[warp_id()] = low;
    s.warp_high[warp_id()] = high;
  }
  const bool special = load_mask<kPlain, Layout>(a.scores, tile, s.mask);
  const float lowest = fold_block(s.warp_low, Min{}), highest = fold_block(s.warp_high, Max{});
  spread.one_exponential =
      highest - lowest < a.largest_spread && fmaxf(fabsf(lowest), fabsf(highest)) <= kLargestQuickShift;
  spread.shift = lowest <= highest ? floorf((lowest + highest) / 2) : 0;
  if (spread.one_exponential && term) anchor.factor *= power_of_two(spread.shift - anchor.shift);
  anchor.store(s);
  Layout::sync();
  return special;
}

// The sums of one thread. They have few terms, so float32 is enough.
struct ThreadSums {
  float dot_sum, sum;
};

// Replaces each dot by its gradient value(r, c, dot, sums), and returns the sums.
template <class Layout, class F>
INFCL_DEVICE ThreadSums differentiate_dots(Patch<Layout>& dots, F value) {
  ThreadSums sums{0, 0};
  dots.for_each([&](int r, int c, float& x) { x = value(r, c, x, sums); });
  return sums;
}

// The same in an order that needs fewer registers, for two exponentials per pair.
template <class Layout, class F>
INFCL_DEVICE ThreadSums differentiate_dots_sparingly(Patch<Layout>& dots, F value) {
  ThreadSums sums{0, 0};
  dots.for_each_along_shorter_side([&](int r, int c, float& x) { x = value(r, c, x, sums); });
  return sums;
}

// Subtracts the terms of label smoothing and class positives. They enter neither sum of the tile, because the
// engine computes their part of the sums itself.
template <bool kPlain>
INFCL_DEVICE float without_targets(const BackwardArgs& a, const GradientStorage& s, int row, int column,
                                   float dot, float g) {
  if constexpr (!kPlain) {
    if (is_masked(dot)) return g;
    if (a.row_uniform || a.column_uniform) g -= s.row_uniform[row] + s.column_uniform[column];
    if (a.scores.mask.row_classes && same_class(s.mask, row, column))
      g -= s.row_class_weight[row] + s.column_class_weight[column];
  }
  return g;
}

template <bool kPlain, class Layout>
INFCL_DEVICE ThreadSums differentiate_tile(const BackwardArgs& a, const GradientStorage& s,
                                           const Spread& spread, Patch<Layout>& dots) {
  using Patch = Patch<Layout>;
  const auto finish = [&](int r, int c, float dot, float g, ThreadSums& sums) {
    sums.dot_sum += g * dot;
    sums.sum += g;
    return without_targets<kPlain>(a, s, Patch::row(r), Patch::column(c), dot, g);
  };
  if (a.scores.sigmoid) {
    const SigmoidLogit logit(a.scores);
    return differentiate_dots(dots, [&](int r, int c, float dot, ThreadSums& sums) {
      return finish(r, c, dot, s.row_factor[Patch::row(r)] * logit.sigma(dot), sums);
    });
  }
  const Logit logit(a.scores);
  if (spread.one_exponential)
    return differentiate_dots(dots, [&](int r, int c, float dot, ThreadSums& sums) {
      const float factor = s.row_factor[Patch::row(r)] + s.column_factor[Patch::column(c)];
      return finish(r, c, dot, factor * logit.quick_exp2(dot, spread.shift, kLargestSpread / 2 + 2), sums);
    });
  return differentiate_dots_sparingly(dots, [&](int r, int c, float dot, ThreadSums& sums) {
    const int row = Patch::row(r), column = Patch::column(c);
    const SplitLogit x(logit, dot);
    const float g = s.row_factor[row] * x.exp2(s.row_shift[row]) +
                    s.column_factor[column] * x.exp2(s.column_shift[column]);
    return finish(r, c, dot, g, sums);
  });
}

struct Sums {
  double dot_sum, sum;
};

// Gives labelled positives the gradient that the engine computed.
template <class Layout>
INFCL_DEVICE void place_positives(const BackwardArgs& a, const TilePosition& tile, const GradientStorage& s,
                                  Patch<Layout>& g, Sums& sums) {
  using Patch = Patch<Layout>;
#pragma unroll
  for (int r = 0; r < Patch::kRows; ++r) {
    const int row = Patch::row(r), label = s.mask.label[row];
    if (!holds_column<Layout>(label)) continue;
    const double grad = a.positive_grads[tile.local_row + row];
    sums.dot_sum += grad * a.positive_dots[tile.local_row + row];
    sums.sum += grad;
#pragma unroll
    for (int c = 0; c < Patch::kColumns; ++c)
      if (label == Patch::column(c)) g.at(r, c) = static_cast<float>(grad);
  }
}

// Sums of |g| along the tile's rows and columns: each row and column loses its sum if the filter skips the
// tile. The sums use the memory that stages G later.
template <class Layout>
struct LostSums {
  RowParts<Layout> rows;
  ColumnParts<Layout> columns;
};

// Whether the filter skips the tile: no row's and no column's sum exceeds its bound. A sum that is NaN
// exceeds the bound. The caller's barrier comes before; the function ends with a barrier.
template <class Layout>
INFCL_DEVICE bool is_skipped(const BackwardArgs& a, const Patch<Layout>& g, GradientStorage& s) {
  static_assert(sizeof(LostSums<Layout>) <= sizeof s.g, "the sums fit into the memory of G");
  auto& lost = *reinterpret_cast<LostSums<Layout>*>(s.g);
  collect_sums<Layout>(lost.rows, lost.columns, [&](int r, int c) { return fabsf(g.at(r, c)); });
  Layout::sync();
  const bool within = owns_row() ? fold_parts(lost.rows, owned(), Sum{}) <= a.row_filter
                                 : fold_parts(lost.columns, owned(), Sum{}) <= a.column_filter;
  return !Layout::sync_or(!within);
}

// Writes the tile's sums. The caller's barriers come before and after.
template <class Layout>
INFCL_DEVICE void write_sums(const BackwardArgs& a, const Sums& sums, bool skipped, GradientStorage& s) {
  const double dot_sum = fold_warp(sums.dot_sum, Sum{}), sum = fold_warp(sums.sum, Sum{});
  if (lane_id() == 0) {
    s.warp_dot_sum[warp_id()] = dot_sum;
    s.warp_sum[warp_id()] = sum;
  }
  Layout::sync();
  if (threadIdx.x > 0) return;
  a.tile_sums[static_cast<int64_t>(blockIdx.x) * gridDim.y + blockIdx.y] = {
      fold_block(s.warp_dot_sum, Sum{}), fold_block(s.warp_sum, Sum{}), 0, skipped};
}

using GLayout = TileLayout<Major::kAlongSide>;  // rows of 128 elements; `row` may be any row of the tile

// Rounds the patch to 16 bits, and leaves the rounding errors in the patch for the low plane. Writes the tile
// through shared memory, so that a warp writes whole rows.
template <class Type, class Layout>
INFCL_DEVICE void write_plane(Patch<Layout>& g, uint16_t* out, int64_t stride, GradientStorage& s) {
  using Patch = Patch<Layout>;
  unsigned char* staged = reinterpret_cast<unsigned char*>(s.g);
#pragma unroll
  for (int r = 0; r < Patch::kRows; ++r)
#pragma unroll
    for (int c = 0; c < Patch::kColumns; c += 2) {
      const uint32_t pair = Type::pack(g.at(r, c), g.at(r, c + 1));
      g.at(r, c) -= Type::low(pair);
      g.at(r, c + 1) -= Type::high(pair);
      const int row = Patch::row(r), column = Patch::column(c);
      *reinterpret_cast<uint32_t*>(staged + GLayout::offset(row, column / 8) + column % 8 * 2) = pair;
    }
  Layout::sync();
#pragma unroll
  for (int i = static_cast<int>(threadIdx.x); i < kTile * GLayout::kChunks; i += kThreads) {
    const int row = i / GLayout::kChunks, chunk = i % GLayout::kChunks;
    *reinterpret_cast<uint4*>(out + row * stride + chunk * 8) =
        *reinterpret_cast<const uint4*>(staged + GLayout::offset(row, chunk));
  }
}

template <class Kind, bool kPlain, class Layout>
INFCL_DEVICE void differentiate(const BackwardArgs& a, const TilePosition& tile, Patch<Layout>& dots,
                                GradientStorage& s) {
  Spread spread;
  const bool special = load_gradient<kPlain, Layout>(a, tile, s, spread);
  if (special) exclude<kPlain>(a.scores, tile, s.mask, dots, [](int, float) {});
  const ThreadSums sums_of_thread = differentiate_tile<kPlain>(a, s, spread, dots);
  Sums sums{sums_of_thread.dot_sum, sums_of_thread.sum};
  if (special) place_positives(a, tile, s, dots, sums);
  bool skipped = false;
  if constexpr (!kPlain) skipped = a.filters && is_skipped(a, dots, s);
  write_sums<Layout>(a, sums, skipped, s);
  dots.for_each([&](int, int, float& g) { g *= a.g_scale; });
  const int64_t corner = tile.local_row * a.g_stride + tile.local_column;
  write_plane<typename Kind::Type>(dots, a.g_high + corner, a.g_stride, s);
  if constexpr (Kind::kPlanes == 2) {
    Layout::sync();
    write_plane<typename Kind::Type>(dots, a.g_low + corner, a.g_stride, s);
  }
}

}  // namespace infcl::cuda
