// The product of two operands, in steps of depth 32: out[i][j] = sum_k a[i][k] b[j][k]. Zeros pad operands to
// whole tiles, so this file needs no code for edges. cp.async fills a ring of stages in shared memory, while
// the tensor cores multiply the oldest stage that has arrived.
#pragma once

#include "operands.cuh"
#include "tile.cuh"

namespace infcl::cuda {

// One thread's loads of an operand: two chunks of each operand tile, at a distance of half a tile.
template <Major kMajor>
class OperandLoads {
  using Layout = TileLayout<kMajor>;
  static constexpr int kHalfRows = Layout::kRows / 2;
  static_assert(kHalfRows * Layout::kChunks == kThreads, "two chunks a thread");
  static_assert(kHalfRows % 8 == 0, "both chunks are permuted alike");

 public:
  // The first tile begins at `origin`. `width`: how many elements of a row exist; the loads fill in zeros for
  // the others.
  INFCL_DEVICE OperandLoads(const Planes& origin, int64_t stride, int width) : stride_(stride) {
    const int row = static_cast<int>(threadIdx.x) / Layout::kChunks;
    const int chunk = static_cast<int>(threadIdx.x) % Layout::kChunks;
    inside_ = chunk * 8 < width;
    const int64_t offset = row * stride + (inside_ ? chunk * 8 : 0);
    high_ = plus(origin.high, offset);
    low_ = plus(origin.low, offset);
    shared_ = Layout::offset(row, chunk);
  }
  // Goes back to the first tile, of the low or of the high plane.
  INFCL_DEVICE void rewind(bool low) { next_ = low ? low_ : high_; }
  INFCL_DEVICE void load(uint32_t tile) {
    cp_async_16(tile + shared_, next_, inside_);
    cp_async_16(tile + shared_ + kHalfRows * Layout::kChunks * 16, next_ + kHalfRows * stride_, inside_);
    next_ += kMajor == Major::kAlongDepth ? kDepth : kDepth * stride_;
  }

 private:
  const uint16_t *high_, *low_, *next_;
  int64_t stride_;
  uint32_t shared_;
  bool inside_;
};

// The 16 x 16 fragments of an operand. Lane l addresses row l % 8 of the 8 x 8 matrix l / 8. The four
// matrices of a (one fragment of 16 x 16) come in order of the side first. The matrices of b (two fragments
// of 8 x 16) come in order of the depth first.
template <Major kMajor, bool kIsA>
class Fragments {
  using Layout = TileLayout<kMajor>;

 public:
  // Finds the offset in the tile of this lane's address, for the fragment at `side` and depth 0.
  INFCL_DEVICE explicit Fragments(int side) {
    const int lane = lane_id();
    const bool rows_first = kIsA == (kMajor == Major::kAlongDepth);
    const int row = rows_first ? lane % 16 : lane % 8 + lane / 16 * 8;
    const int chunk = rows_first ? lane / 16 : lane / 8 % 2;
    base_ = kMajor == Major::kAlongDepth ? Layout::offset(side + row, chunk)
                                         : Layout::offset(row, side / 8 + chunk);
  }
  // Loads fragment `i` along the side and `k` along the depth, both in units of 16. An xor permutes chunks,
  // so a step from chunk to chunk is an xor too.
  INFCL_DEVICE void load(uint32_t (&out)[4], uint32_t tile, int i, int k) const {
    const int chunks = 2 * (kMajor == Major::kAlongDepth ? k : i);
    const int rows = 16 * (kMajor == Major::kAlongDepth ? i : k);
    const uint32_t offset = (base_ ^ (chunks * 16)) + rows * Layout::kChunks * 16;
    ldmatrix_x4<kMajor == Major::kAlongSide>(out, tile + offset);
  }

 private:
  uint32_t base_;
};

// out += the product of one stage's operand tiles.
template <class Kind, Major kA, Major kB>
INFCL_DEVICE void multiply_stage(const Fragments<kA, true>& a, const Fragments<kB, false>& b,
                                 const Stage& stage, Patch<MmaLayout>& out) {
  constexpr int kARows = MmaLayout::kWarpRows / 16, kBPairs = MmaLayout::kWarpColumns / 16;
  const uint32_t a_tile = shared_address(stage.a), b_tile = shared_address(stage.b);
#pragma unroll
  for (int k = 0; k < kDepth / 16; ++k) {
    uint32_t a_part[kARows][4], b_part[kBPairs][4];
#pragma unroll
    for (int i = 0; i < kARows; ++i) a.load(a_part[i], a_tile, i, k);
#pragma unroll
    for (int j = 0; j < kBPairs; ++j) b.load(b_part[j], b_tile, j, k);
#pragma unroll
    for (int i = 0; i < kARows; ++i)
#pragma unroll
      for (int j = 0; j < 2 * kBPairs; ++j)
        Kind::Type::mma(out.value[2 * i][j], out.value[2 * i + 1][j], a_part[i], b_part[j / 2][j % 2 * 2],
                        b_part[j / 2][j % 2 * 2 + 1]);
  }
}

// out += the product over `tiles` tiles of depth. A warp that is not `busy` only loads. When the function
// returns, the ring's memory is free for other use.
template <class Kind, Major kA, Major kB>
INFCL_DEVICE void multiply_add(OperandLoads<kA> a, OperandLoads<kB> b, int tiles, Stage* ring, bool busy,
                               Patch<MmaLayout>& out) {
  const Fragments<kA, true> a_fragments(MmaLayout::warp_row() * MmaLayout::kWarpRows);
  const Fragments<kB, false> b_fragments(MmaLayout::warp_column() * MmaLayout::kWarpColumns);
  int product = Kind::kProducts - 1, tile = 0;  // of the next load; the small products come first
  const auto begin_product = [&] {
    a.rewind(reads_low_of_a(product));
    b.rewind(reads_low_of_b(product));
  };
  begin_product();
  const auto load = [&](int stage) {
    if (product >= 0) {
      a.load(shared_address(ring[stage].a));
      b.load(shared_address(ring[stage].b));
      if (++tile == tiles) {
        tile = 0;
        --product;
        begin_product();
      }
    }
    cp_async_commit();  // also an empty group: the number of groups must be the number of stages
  };

  for (int stage = 0; stage < kStages - 1; ++stage) load(stage);
  int stage = 0;
  for (int step = 0; step < Kind::kProducts * tiles; ++step) {
    cp_async_wait<kStages - 2>();
    __syncthreads();  // the stage has arrived, and all warps have multiplied the stage before
    load(stage == 0 ? kStages - 1 : stage - 1);
    if (busy) multiply_stage<Kind>(a_fragments, b_fragments, ring[stage], out);
    stage = stage == kStages - 1 ? 0 : stage + 1;
  }
  __syncthreads();  // the last steps loaded nothing, so no load is under way
}

}  // namespace infcl::cuda
