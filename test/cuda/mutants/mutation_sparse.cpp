// Mutants of the kernels beside the matrix: reduce, split, pairs.
#include "mutation.h"

namespace mutation {

namespace {

constexpr const char* kReduce = "reduce_kernel";
constexpr const char* kSumTiles = "sum_tiles_kernel";
constexpr const char* kSplit = "split_kernel";
constexpr const char* kDots = "pair_dots_kernel";
constexpr const char* kGradients = "pair_gradients_kernel";

constexpr const char* kNumerics = "../../csrc/core/numerics.h";

constexpr const char* kBarrier = "bar\\.sync";
constexpr const char* kBelowDiagonal = "tile % args.column_tiles < tile / args.column_tiles";

std::vector<Mutant> reduce_mutants() {
  return {
      {"an index after the last",
       kReduce,
       forward_plain,
       {{{"reduce.cu", "if (index >= args.count) return", "setp\\.ge\\.s32", 1}, 0, "setp.gt.s32"}}},
      {"rows of a triangle begin at the first tile",
       kReduce,
       forward_triangle,
       {{{"reduce.cu", "args.triangle_side == 0 ? diagonal", "selp\\.b32\\s+(%r\\d+), (%r\\d+), 0, %p\\d+;",
          1},
         kEach,
         "mov.u32 $1, 0;"}}},
      {"columns of a triangle end at the last tile",
       kReduce,
       forward_triangle,
       {{{"reduce.cu", "args.triangle_side == 1 ? diagonal", "setp\\.eq\\.s32", 1}, 0, "setp.ne.s32"}}},
      {"sums are rescaled the wrong way",
       kReduce,
       forward_steep,
       {{{kNumerics, "sum + scaled_down(all, all_shift", "sub\\.f32\\s+(%f\\d+), (%f\\d+), (%f\\d+);", 8},
         kEach,
         "sub.f32 $1, $3, $2;"}}},
      {"a partial of the next index",
       kReduce,
       forward_general,
       {{{"reduce.cu", "part[i] = *from[i]", "\\+16\\]", 8}, kEach, "+48]"}}},
      {"sums of warps are read too early",
       kSumTiles,
       sums_of_tiles,
       {{{"reduce.cu", "__syncthreads();", kBarrier, 1}, 0, ""}}},
      {"tiles of the diagonal are missing",
       kSumTiles,
       sums_of_triangle,
       {{{"reduce.cu", kBelowDiagonal, "setp\\.lt\\.s32", 8}, kEach, "setp.le.s32"}}},
      {"tiles below the diagonal are added",
       kSumTiles,
       sums_of_triangle,
       {{{"reduce.cu", kBelowDiagonal, "setp\\.lt\\.s32\\s+(%p\\d+), (%r\\d+), (%r\\d+);", 8},
         kEach,
         "setp.ne.s32 $1, $2, $2;"}}},
      {"a sum without half of its lanes",
       kSumTiles,
       sums_of_tiles,
       {{{"", "", "(shfl\\S+\\s+\\S+ %r\\d+,) %r\\d+,", 40}, 8, "$1 0,"}}},
  };
}

std::vector<Mutant> split_mutants() {
  return {
      {"the last of what is not finite",
       kSplit,
       split_float32,
       {{{"", "", "atom\\.global\\.min\\.u64", 2}, kEach, "atom.global.max.u64"}}},
      {"infinities pass for finite",
       kSplit,
       split_float32,
       {{{"split.cu", "if (!(fabsf(value) < INFINITY))", "setp\\.lt\\.f32", 2}, kEach, "setp.le.f32"}}},
      {"a feature after the last",
       kSplit,
       split_float32,
       {{{"split.cu", "if (feature >= a.dim) return 0", "setp\\.le\\.s64", 2}, kEach, "setp.lt.s64"}}},
      {"a row after the last",
       kSplit,
       split_float32,
       {{{"split.cu", "if (row >= args.rows) return", "setp\\.ge\\.s64", 1}, 0, "setp.gt.s64"}}},
      {"a second feature is the first again",
       kSplit,
       split_float16,
       {{{"split.cu", "a.in)[at]", "\\+2\\]", 2}, kEach, "]"}}},
      {"the low plane is the high one again",
       kSplit,
       split_float32,
       {{{"split.cu", "BFloat16::pack(x - BFloat16::low(pair)", "sub\\.f32\\s+(%f\\d+), (%f\\d+), (%f\\d+);",
          2},
         kEach,
         "mov.f32 $1, $2;"}}},
      {"rows without their stride",
       kSplit,
       split_float32,
       {{{"", "", "mul\\.lo\\.s64\\s+(%rd\\d+), (%rd\\d+), (%rd\\d+);", 4}, 1, "mul.lo.s64 $1, $3, 75;"}}},
      {"the longest row is forgotten",
       kSplit,
       split_float16,
       {{{"", "", "atom\\.global\\.max\\.u64", 1}, 0, "atom.global.min.u64"}}},
      {"a row's first features have no length",
       kSplit,
       split_float16,
       {{{"split.cu", "squares += static_cast<double>(x) * x",
          "fma\\.rn\\.f64\\s+(%fd\\d+), (%fd\\d+), (%fd\\d+), (%fd\\d+);", 1},
         0,
         "mov.f64 $1, $4;"}}},
  };
}

std::vector<Mutant> pair_mutants() {
  return {
      {"columns without labels",
       kDots,
       pair_rows,
       {{{"pairs.cu", "INFCL_DEVICE int64_t column_of", "setp\\.eq\\.s64", 1}, 0, "setp.ne.s64"}}},
      {"a feature of padding",
       kDots,
       pair_rows,
       {{{"pairs.cu", "dot = fmaf(x_high, y, fmaf(x - x_high, y_high, dot))",
          "fma\\.rn\\.f32\\s+(\\S+ \\S+) (%f\\d+), (%f\\d+);", 12},
         1,
         "fma.rn.f32 $1 $2, 0f00000000;"}}},
      {"dots without half of the warp",
       kDots,
       pair_rows,
       {{{"", "", "(shfl\\S+\\s+\\S+ %r\\d+,) %r\\d+,", 10}, 0, "$1 1,"}}},
      {"errors of dots without half of the warp",
       kDots,
       pair_rows,
       {{{"", "", "(shfl\\S+\\s+\\S+ %r\\d+,) %r\\d+,", 10}, 5, "$1 1,"}}},
      {"signs count in errors of dots",
       kDots,
       pair_rows,
       {{{"pairs.cu", "size = fmaf(fabsf(x), fabsf(y), size)", "abs\\.f32", 12}, kEach, "mov.f32"}}},
      {"a pair after the last",
       kDots,
       pair_rows,
       {{{"pairs.cu", "if (pair >= args.count) return", "setp\\.ge\\.s64", 1}, 0, "setp.gt.s64"}}},
      {"every pair is of its own row",
       kDots,
       pair_rows,
       {{{"", "", "div\\.u32\\s+(%r\\d+), (%r\\d+), (%r\\d+);", 1}, 0, "mov.u32 $1, $2;"}}},
      {"rows get the sum of one pair",
       kGradients,
       pair_rows,
       {{{"pairs.cu", "for (int64_t pair = first; pair < last", "setp\\.lt\\.s64", 1}, 0, "setp.gt.s64"}}},
      {"columns get the row's other feature",
       kGradients,
       pair_rows,
       {{{"pairs.cu", "make_float2(g * x.x, g * x.y)", "mul\\.f32\\s+(%f\\d+), (%f\\d+), (%f\\d+);", 14},
         kEach,
         "mul.f32 $1, $3, $3;"}}},
  };
}

// Offsets that keep no more than 32 bits, which only shows beyond 2^31 elements.
constexpr const char* kWide = "(mul\\.lo\\.s64\\s+)(%rd\\d+), (%rd\\d+), (%rd\\d+);";
constexpr const char* kWideOfInts = "(mul\\.wide\\.s32\\s+)(%rd\\d+), (%r\\d+), (%r\\d+);";
constexpr const char* kNarrow = "$1$2, $3, $4;\n\tshl.b64 $2, $2, 32;\n\tshr.s64 $2, $2, 32;";

std::vector<Mutant> narrow_mutants() {
  return {
      {"offsets of rows have 32 bits",
       "scores_forward_plain_bf16_kernel",
       scores_beyond_32_bits,
       {{{"scores.cuh", "Loads(plus(a.rows, tile.local_row * stride)", kWide, 1}, kEach, kNarrow}}},
      {"offsets in G have 32 bits",
       "scores_backward_plain_bf16_kernel",
       gradients_beyond_32_bits,
       {{{"gradient.cuh", "*reinterpret_cast<uint4*>(out + row * stride", kWide, 5}, kEach, kNarrow}}},
      {"offsets in G have 32 bits, too",
       "accumulate_bf16_kernel",
       rows_beyond_32_bits,
       {{{"accumulate.cuh", "kMajorG == Major::kAlongDepth ? tile.row * a.g_stride", kWide, 2},
         kEach,
         kNarrow}}},
      {"offsets in gradients have 32 bits",
       "accumulate_bf16_kernel",
       columns_beyond_32_bits,
       {{{"gradient_tile.cuh", "float* const out = p.out", kWideOfInts, 2}, kEach, kNarrow}}},
      {"offsets of what is split have 32 bits",
       kSplit,
       split_beyond_32_bits,
       {{{"", "", kWide, 4}, 1, kNarrow}}},
      {"offsets of planes have 32 bits", kSplit, split_beyond_32_bits, {{{"", "", kWide, 4}, 0, kNarrow}}},
      {"offsets of columns have 32 bits",
       kDots,
       dots_beyond_32_bits,
       {{{"pairs.cu", "column = column_of(args, pair) * args.padded_dim", kWide, 1}, 0, kNarrow}}},
      {"offsets of columns have 32 bits, too",
       kGradients,
       pairs_beyond_32_bits,
       {{{"pairs.cu", "load_features(args.columns, args.float16, column_of(args, pair)", kWide, 7},
         kEach,
         kNarrow}}},
  };
}

}  // namespace

std::vector<Mutant> sparse_mutants() {
  std::vector<Mutant> all;
  for (const auto& some : {reduce_mutants(), split_mutants(), pair_mutants(), narrow_mutants()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace mutation
