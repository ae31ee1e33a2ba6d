// Mutants of the gradient filter: which tiles the filter skips, and that the gradient products skip them.
#include "mutation.h"

namespace mutation {

namespace {

constexpr const char* kBackwardGeneral = "scores_backward_general_two_planes_kernel";
constexpr const char* kAccumulateSkipping = "accumulate_skipping_two_planes_kernel";

// Lines of the kernels.
constexpr const char* kMine = "mine = !a.tile_sums[";
constexpr const char* kRunEnd = "run.end = min(";
constexpr const char* kRest = "kept = first + length < 64";
constexpr const char* kLost = "return fabsf(g.at(r, c))";
constexpr const char* kColumns = "fold_parts(lost.columns";
constexpr const char* kRows = "fold_parts(lost.rows";

}  // namespace

std::vector<Mutant> filter_mutants() {
  return {
      {"sums are compared before they are there",
       kBackwardGeneral,
       backward_filter,
       {{{"tile.cuh", "static void sync()", "bar\\.sync", 6}, 1, ""}}},
      {"gradients of both signs cancel",
       kBackwardGeneral,
       backward_filter,
       {{{"gradient.cuh", kLost, "abs\\.f32", 64}, kEach, "mov.f32"}}},
      {"columns have no say",
       kBackwardGeneral,
       backward_filter,
       {{{"gradient.cuh", kColumns, "setp\\.le\\.f32\\s+(%p\\d+), %f\\d+,", 1},
         0,
         "setp.le.f32 $1, 0f00000000,"}}},
      {"rows have no say",
       kBackwardGeneral,
       backward_filter,
       {{{"gradient.cuh", kRows, "setp\\.le\\.f32\\s+(%p\\d+), %f\\d+,", 1},
         0,
         "setp.le.f32 $1, 0f00000000,"}}},
      {"skipped tiles count, and the reverse",
       kAccumulateSkipping,
       accumulate_skipping,
       {{{"accumulate_skipping.cu", kMine, "setp\\.eq\\.s64", 2}, kEach, "setp.ne.s64"}}},
      {"rows look at the tiles of columns",
       kAccumulateSkipping,
       accumulate_skipping,
       {{{"accumulate_skipping.cu", kMine, "selp\\.b32\\s+(%r\\d+), (%r\\d+), (%r\\d+),", 4},
         kEach,
         "selp.b32 $1, $3, $2,"}}},
      {"runs end halfway",
       kAccumulateSkipping,
       accumulate_skipping,
       {{{"accumulate_skipping.cu", kRunEnd, "shl\\.b32\\s+(\\S+ \\S+) 7;", 1}, 0, "shl.b32 $1 6;"}}},
      {"the second run is forgotten",
       kAccumulateSkipping,
       accumulate_skipping,
       {{{"accumulate_skipping.cu", kRest, "and\\.b64\\s+(%rd\\d+), .*;", 1}, 0, "mov.u64 $1, 0;"}}},
  };
}

}  // namespace mutation
