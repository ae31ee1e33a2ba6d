// Mutants of what follows the mainloop: rules, folds, gradients.
#include "mutation.h"

namespace mutation {

namespace {

constexpr const char* kForward = "scores_forward_plain_bf16x3_kernel";
constexpr const char* kForwardGeneral = "scores_forward_general_bf16x3_kernel";
constexpr const char* kBackward = "scores_backward_plain_bf16x3_kernel";
constexpr const char* kBackwardGeneral = "scores_backward_general_bf16x3_kernel";
constexpr const char* kAccumulate = "accumulate_bf16x3_kernel";

// Lines of the kernels.
constexpr const char* kAnyBarrier = "__syncthreads();";
constexpr const char* kBelow = "below_diagonal = a.triangle";
constexpr const char* kOutside = "} else if (no_row || column >= tile.columns";
constexpr const char* kColumnInTile = "return column >= 0 && column < tile.columns";
constexpr const char* kLimit = "if (same || dot > fminf(";
constexpr const char* kHalfOfDiagonal = "tile.on_diagonal ? total / 2 : total";

// Instructions.
constexpr const char* kBarrier = "bar\\.sync";
constexpr const char* kExponential = "ex2\\.approx\\.ftz\\.f32\\s+(%f\\d+), (%f\\d+);";
constexpr const char* kShuffle = "(shfl\\S+\\s+\\S+ %r\\d+,) (%r\\d+), (%r\\d+), (%r\\d+);";

std::vector<Mutant> rule_mutants() {
  return {
      {"a label in the column after the last",
       kForwardGeneral,
       forward_general,
       {{{"rules.cuh", kColumnInTile, "setp\\.lt\\.s64\\s+(\\S+ %rd\\d+, %rd\\d+);", 1},
         0,
         "setp.le.s64 $1;"}}},
      {"a label in the column before the first",
       kBackward,
       backward_plain,
       {{{"rules.cuh", kColumnInTile, "setp\\.lt\\.s64\\s+(\\S+ \\S+) 0;", 1}, 0, "setp.lt.s64 $1 1;"}}},
      {"a label is met where it is not",
       kForward,
       forward_plain,
       {{{"rules.cuh", "if (label == column)", "setp\\.eq\\.s32", 64}, 20, "setp.ne.s32"}}},
      {"the labels of the block's first rows for all",
       kForwardGeneral,
       forward_general,
       {{{"rules.cuh", "a.rules.labels[tile.block_row + row]", "mul\\.wide\\.s32\\s+(%rd\\d+), (\\S+) 4;", 1},
         0,
         "mul.wide.s32 $1, $2 0;"}}},
      {"a row after the last counts",
       kForward,
       forward_plain,
       {{{"rules.cuh", "const bool no_row = row >= tile.rows", "setp\\.ge\\.s32", 12},
         kEach,
         "setp.gt.s32"}}},
      {"a column after the last counts",
       kBackward,
       backward_plain,
       {{{"rules.cuh", kOutside, "setp\\.ge\\.s32", 16}, kEach, "setp.gt.s32"}}},
      {"a row meets itself",
       kForward,
       forward_triangle,
       {{{"rules.cuh", kOutside, "setp\\.eq\\.s32", 16}, 9, "setp.ne.s32"}}},
      {"the diagonal tile is skipped",
       kForward,
       forward_triangle,
       {{{"rules.cuh", kBelow, "setp\\.lt\\.s64", 1}, 0, "setp.le.s64"}}},
      {"tiles below the diagonal are not skipped",
       kBackward,
       backward_triangle,
       {{{"rules.cuh", kBelow, "setp\\.ne\\.s16\\s+(\\S+ \\S+) 0;", 1}, 0, "setp.ne.s16 $1 1;"}}},
      {"ids that differ are the same",
       kForwardGeneral,
       forward_general,
       {{{"rules.cuh", "const bool same = a.rules.row_ids", "setp\\.eq\\.s32", 64}, 33, "setp.ne.s32"}}},
      {"the larger of two limits",
       kBackwardGeneral,
       backward_general,
       {{{"rules.cuh", kLimit, "min\\.f32", 64}, 40, "max.f32"}}},
      {"what is masked is not counted",
       kForwardGeneral,
       forward_general,
       {{{"rules.cuh", "++masked;", "add\\.s32\\s+(\\S+ \\S+) 1;", 63}, 50, "add.s32 $1 0;"}}},
      {"rules are used before they are there",
       kBackwardGeneral,
       backward_general,
       {{{"rules.cuh", "return __syncthreads_or(special)", "bar\\.red\\.or\\.pred\\s+(%p\\d+), 0, (%p\\d+);",
          1},
         0,
         "mov.pred $1, $2;"}}},
      {"classes of a row 8 further on",
       kBackwardGeneral,
       backward_classes,
       {{{"rules.cuh", "return rules.row_class[row] ==", "(ld\\.shared.*)\\+34304\\]", 24},
         kEach,
         "$1+34336]"}}},
  };
}

// Barriers of fold.cuh in the order of the code: 0 after row maxima, 1 of sigmoids, 2 to 5 of shifts.
std::vector<Mutant> fold_mutants() {
  return {
      {"the tile's maximum is read too early",
       kForward,
       forward_plain,
       {{{"fold.cuh", kAnyBarrier, kBarrier, 6}, 0, ""}}},
      {"sums of softplus are read too early",
       kForward,
       forward_sigmoid,
       {{{"fold.cuh", kAnyBarrier, kBarrier, 6}, 1, ""}}},
      {"sums are read too early", kForward, forward_plain, {{{"fold.cuh", kAnyBarrier, kBarrier, 6}, 2, ""}}},
      {"maxima of columns are read too early",
       kForward,
       forward_steep,
       {{{"fold.cuh", kAnyBarrier, kBarrier, 6}, 3, ""}}},
      {"shifts are read too early",
       kForward,
       forward_steep,
       {{{"fold.cuh", kAnyBarrier, kBarrier, 6}, 4, ""}}},
      {"sums with shifts of their own are read too early",
       kForward,
       forward_steep,
       {{{"fold.cuh", kAnyBarrier, kBarrier, 6}, 5, ""}}},
      {"an exponential of the negative",
       kForward,
       forward_plain,
       {{{"ptx.cuh", "ex2.approx", kExponential, 256}, 70, "neg.f32 $1, $2;\n\tex2.approx.ftz.f32 $1, $1;"}}},
      {"a shuffle with the wrong lane",
       kForward,
       forward_plain,
       {{{"", "", kShuffle, 50}, 3, "$1 5, $3, $4;"}}},
      {"a shuffle without half the lanes",
       kForward,
       forward_plain,
       {{{"", "", kShuffle, 50}, 3, "$1 $2, $3, 65535;"}}},
      {"a minimum in place of a maximum",
       kForward,
       forward_plain,
       {{{"fold.cuh", "most[r] = fmaxf(most[r], dots.at(r, c))", "max\\.f32", 65}, 12, "min.f32"}}},
      {"one row's underflow goes unnoticed",
       kForward,
       forward_steep,
       {{{"fold.cuh", "fold_parts(s.row_sum, i, Sum{}) >= kSmallest", "setp\\.ge\\.f32\\s+(\\S+ \\S+) \\S+;",
          1},
         0,
         "setp.ge.f32 $1 0f00000000;"},
        {{"fold.cuh", "return fold_parts(s.column_sum", "setp\\.ge\\.f32\\s+(\\S+ \\S+) \\S+;", 1},
         0,
         "setp.ge.f32 $1 0f00000000;"}}},
      {"partials of row tiles on top of each other",
       kForward,
       forward_plain,
       {{{"fold.cuh", "args.row_partials[blockIdx.y", "mul\\.wide\\.u32\\s+(%rd\\d+), .*;", 1},
         0,
         "mov.u64 $1, 0;"}}},
      {"the diagonal tile's columns are counted, too",
       kForward,
       forward_triangle,
       {{{"fold.cuh", "} else if (args.column_partials && !tile.on_diagonal",
          "or\\.pred\\s+(%p\\d+), (%p\\d+), (%p\\d+);", 1},
         0,
         "mov.pred $1, $2;"}}},
      {"the softplus series is off in one term",
       kForwardGeneral,
       forward_sigmoid_exact,
       {{{"logit.cuh", "p = fmaf(p, u, 2.f / 3)", "0f3F2AAAAB", 1}, 0, "0f3F000000"}}},
  };
}

// Barriers of gradient.cuh: 0 factors, 1 sums, 2 and 4 staged planes, 3 between the planes.
std::vector<Mutant> gradient_mutants() {
  return {
      {"factors are read too early",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", kAnyBarrier, kBarrier, 5}, 0, ""}}},
      {"sums of warps are read too early",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", kAnyBarrier, kBarrier, 5}, 1, ""}}},
      {"a plane leaves before it is staged",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", kAnyBarrier, kBarrier, 5}, 2, ""}}},
      {"the low plane is staged over the high one",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", kAnyBarrier, kBarrier, 5}, 3, ""}}},
      {"the low plane leaves before it is staged",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", kAnyBarrier, kBarrier, 5}, 4, ""}}},
      {"the scale of G is forgotten",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", "dots.at(r, c) *= a.g_scale", "mul\\.f32\\s+(%f\\d+), (%f\\d+), (%f\\d+);", 64},
         kEach,
         "mov.f32 $1, $2;"}}},
      {"the low plane is the whole again",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", "g.at(r, c) -= Type::low(pair)", "sub\\.f32\\s+(%f\\d+), (%f\\d+), (%f\\d+);", 32},
         7,
         "mov.f32 $1, $2;"}}},
      {"the planes of G change places",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", "write_plane<typename Kind::Type>(dots, a.g_high", "\\+232\\]", 1}, 0, "+240]"},
        {{"gradient.cuh", "write_plane<typename Kind::Type>(dots, a.g_low", "\\+240\\]", 1}, 0, "+232]"}}},
      {"an exponential of the negative in backward",
       kBackward,
       backward_steep,
       {{{"ptx.cuh", "ex2.approx", kExponential, 256},
         200,
         "neg.f32 $1, $2;\n\tex2.approx.ftz.f32 $1, $1;"}}},
      {"one exponential where two are needed",
       kBackward,
       backward_steep,
       {{{"gradient.cuh", "spread.one_exponential = highest - lowest", "0f42C80000", 2},
         kEach,
         "0f447A0000"}}},
      {"sums of the diagonal tile count twice",
       kBackward,
       backward_triangle,
       {{{"gradient.cuh", kHalfOfDiagonal, "0d3FE0000000000000", 1}, 0, "0d3FF0000000000000"}}},
      {"uniform terms of columns are left out",
       kBackwardGeneral,
       backward_general,
       {{{"gradient.cuh", "g -= s.row_uniform[row] + s.column_uniform[column]",
          "add\\.f32\\s+(\\S+ \\S+) %f\\d+;", 192},
         kEach,
         "add.f32 $1 0f00000000;"}}},
      {"a positive keeps the gradient of a negative",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", "if (label == Patch::column(c)) g.at(r, c)",
          "selp\\.f32\\s+(%f\\d+), (%f\\d+), (%f\\d+), ", 64},
         kEach,
         "selp.f32 $1, $3, $3, "}}},
      {"sigma of the wrong sign",
       kBackward,
       backward_sigmoid,
       {{{"logit.cuh", "return __fdividef(x < 0 ? e : 1", "setp\\.lt\\.f32", 64}, 5, "setp.gt.f32"}}},
  };
}

std::vector<Mutant> accumulate_mutants() {
  return {
      {"what was there is not overwritten, and the reverse",
       kAccumulate,
       accumulate_block,
       {{{"accumulate.cu", "before = p.overwrite ?", "setp\\.eq\\.s16", 64}, kEach, "setp.ne.s16"}}},
      {"a row after the last is written",
       kAccumulate,
       accumulate_block,
       {{{"accumulate.cu", "if (row >= p.count) continue", "setp\\.ge\\.s32", 24}, kEach, "setp.gt.s32"}}},
      {"features after the last are written",
       kAccumulate,
       accumulate_over,
       {{{"accumulate.cu", "if (column >= tile.features) continue", "setp\\.ge\\.s32", 96},
         kEach,
         "setp.gt.s32"}}},
      {"the scale of G stays in",
       kAccumulate,
       accumulate_block,
       {{{"accumulate.cu", "*out = make_float2(before.x + factor", "fma\\.rn\\.f32\\s+(\\S+ \\S+) %f\\d+,",
          128},
         100,
         "fma.rn.f32 $1 0f3F800000,"}}},
      {"a triangle's rows begin at the first column",
       kAccumulate,
       accumulate_triangle,
       {{{"accumulate.cu", "if (!a.triangle) return", "selp\\.b32\\s+(\\S+ %r\\d+, 0), %p\\d+;", 1},
         0,
         "mov.u32 $1;"}}},
      {"a triangle's columns end at the last row",
       kAccumulate,
       accumulate_triangle,
       {{{"accumulate.cu", "if (!a.triangle) return", "setp\\.eq\\.s16", 1}, 0, "setp.ne.s16"}}},
  };
}

}  // namespace

std::vector<Mutant> epilogue_mutants() {
  std::vector<Mutant> all;
  for (const auto& some : {rule_mutants(), fold_mutants(), gradient_mutants(), accumulate_mutants()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace mutation
