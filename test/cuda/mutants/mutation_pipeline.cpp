// Mutants of the mainloop: copies, barriers, layouts, fragments, products.
#include "mutation.h"

namespace mutation {

namespace {

constexpr const char* kForward = "scores_forward_plain_two_planes_kernel";
constexpr const char* kForwardOnePlane = "scores_forward_plain_bf16_kernel";
constexpr const char* kBackward = "scores_backward_plain_two_planes_kernel";
constexpr const char* kAccumulate = "accumulate_two_planes_kernel";

// Lines of the kernels.
constexpr const char* kArrived = "__syncthreads();  // the stage has arrived";
constexpr const char* kLastSteps = "__syncthreads();  // the last steps loaded nothing";
constexpr const char* kAlongDepth = "(chunk ^ (row / 2 % 4))";
constexpr const char* kAlongSide = "(chunk ^ (row % 8))";
constexpr const char* kNextStage = "load(stage == 0 ? kStages - 1 : stage - 1)";
constexpr const char* kSecondChunk = "cp_async_16(tile + shared_ + kHalfRows";

// Instructions.
constexpr const char* kBarrier = "bar\\.sync";
constexpr const char* kXor = "xor\\.b32\\s+(%r\\d+), (%r\\d+), (%r\\d+);";
constexpr const char* kCommit = "cp\\.async\\.commit_group";
constexpr const char* kMma =
    "(mma\\S+)\\s+\\{(%f\\d+), (%f\\d+), (%f\\d+), (%f\\d+)\\}, \\{(%r\\d+), (%r\\d+), (%r\\d+), "
    "(%r\\d+)\\}, "
    "\\{(%r\\d+), (%r\\d+)\\}";

std::vector<Mutant> copy_mutants() {
  return {
      {"a stage is read before all have waited for it",
       kForward,
       forward_plain,
       {{{"mainloop.cuh", kArrived, kBarrier, 1}, 0, ""}}},
      {"the same in the columns' gradient",
       kAccumulate,
       accumulate_block,
       {{{"mainloop.cuh", kArrived, kBarrier, 2}, 1, ""}}},
      // two_planes always ends in the last stage, which the forward epilogue does not touch before its next
      // barrier
      {"the epilogue takes over the ring too early",
       kForwardOnePlane,
       forward_one_plane,
       {{{"mainloop.cuh", kLastSteps, kBarrier, 1}, 0, ""}}},
      {"the same in backward",
       kBackward,
       backward_plain,
       {{{"mainloop.cuh", kLastSteps, kBarrier, 1}, 0, ""}}},
      {"one group too many may be under way",
       kForward,
       forward_plain,
       {{{"ptx.cuh", "cp.async.wait_group", "wait_group 1", 1}, 0, "wait_group 2"}}},
      {"the same in the rows' gradient",
       kAccumulate,
       accumulate_block,
       {{{"ptx.cuh", "cp.async.wait_group", "wait_group 1", 2}, 0, "wait_group 2"}}},
      {"no commit in the loop",
       kForward,
       forward_plain,
       {{{"ptx.cuh", "cp.async.commit_group;", kCommit, 3}, 2, ""}}},
      {"no commit of the first stage",
       kBackward,
       backward_plain,
       {{{"ptx.cuh", "cp.async.commit_group;", kCommit, 3}, 0, ""}}},
      {"a stage is filled while it is read",
       kForward,
       forward_plain,
       {{{"mainloop.cuh", kNextStage, ", -1;", 1}, 0, ", 0;"}}},
      {"the ring wraps to the wrong stage",
       kForward,
       forward_plain,
       {{{"mainloop.cuh", kNextStage, "selp\\.b32\\s+(\\S+) 2,", 1}, 0, "selp.b32 $1 1,"}}},
      {"the stage to read runs over the ring",
       kBackward,
       backward_plain,
       {{{"mainloop.cuh", "stage = stage == kStages - 1 ? 0", "setp\\.eq\\.s32\\s+(\\S+ \\S+) 2;", 1},
         0,
         "setp.eq.s32 $1 3;"}}},
      {"half a tile lands 16 bytes off",
       kForward,
       forward_plain,
       {{{"mainloop.cuh", kSecondChunk, ", 12288;", 2}, 1, ", 12272;"}}},
      {"half a tile is taken from half as far",
       kAccumulate,
       accumulate_block,
       {{{"mainloop.cuh", kSecondChunk, "shl\\.b64\\s+(\\S+ \\S+) 7;", 1}, 0, "shl.b64 $1 6;"}}},
      // Either edit alone changes nothing: a copy of no bytes may have any address, and one of too many bytes
      // reads what its neighbours read, for columns that nobody looks at.
      {"copies of what does not exist are not cut off",
       kAccumulate,
       accumulate_over,
       {{{"", "", "selp\\.b32\\s+(\\S+) 16, 0,", 2}, kEach, "selp.b32 $1 16, 16,"},
        {{"mainloop.cuh", "(inside_ ? chunk * 8 : 0)", "selp\\.b32\\s+(\\S+ %r\\d+), 0, %p\\d+;", 2},
         kEach,
         "mov.u32 $1;"}}},
      {"one step too many",
       kForward,
       forward_plain,
       {{{"mainloop.cuh", "for (int step = 0;", "setp\\.lt\\.s32\\s+(%p\\d+), (%r\\d+), (%r\\d+);", 1},
         0,
         "setp.le.s32 $1, $2, $3;"}}},
      {"the low plane of a is multiplied with that of b",
       kForward,
       forward_plain,
       {{{"operands.cuh", "reads_low_of_a(int product)", "setp\\.eq\\.s32\\s+(\\S+ \\S+) 2;", 2},
         kEach,
         "setp.eq.s32 $1 1;"}}},
      {"the high plane of G twice",
       kAccumulate,
       accumulate_block,
       {{{"accumulate.cuh", "const Planes g = plus", "\\+8\\]", 2}, 0, "]"}}},
  };
}

std::vector<Mutant> product_mutants() {
  return {
      {"chunks are written unpermuted",
       kForward,
       forward_plain,
       {{{"tile.cuh", kAlongDepth, kXor, 3}, 0, "mov.u32 $1, $3;"}}},
      {"b is read unpermuted",
       kForward,
       forward_plain,
       {{{"tile.cuh", kAlongDepth, kXor, 3}, 2, "mov.u32 $1, $3;"}}},
      {"nothing is permuted: bank conflicts",
       kForward,
       forward_plain,
       {{{"tile.cuh", kAlongDepth, kXor, 3}, kEach, "mov.u32 $1, $3;"}}},
      {"the step along the depth goes to the wrong chunk",
       kForward,
       forward_plain,
       {{{"ptx.cuh", "\"r\"", "xor\\.b32\\s+(\\S+ \\S+) 32;", 2}, 0, "xor.b32 $1 16;"}}},
      {"a fragment 16 rows too low",
       kForward,
       forward_plain,
       {{{"mainloop.cuh", "ldmatrix_x4<", ", 1024;", 4}, 0, ", 2048;"}}},
      {"a fragment is not transposed",
       kAccumulate,
       accumulate_block,
       {{{"ptx.cuh", "\"r\"(shared)", "\\.x4\\.trans\\.", 16}, 0, ".x4."}}},
      {"a fragment is transposed",
       kAccumulate,
       accumulate_block,
       {{{"ptx.cuh", "\"r\"(shared)", "\\.x4\\.shared\\.", 8}, 0, ".x4.trans.shared."}}},
      {"a and b change places",
       kForward,
       forward_plain,
       {{{"ptx.cuh", "\"r\"(a[0])", kMma, 32}, 0, "$1 {$2, $3, $4, $5}, {$10, $11, $8, $9}, {$6, $7}"}}},
      {"two registers of a change places",
       kBackward,
       backward_plain,
       {{{"ptx.cuh", "\"r\"(a[0])", kMma, 32}, 9, "$1 {$2, $3, $4, $5}, {$6, $8, $7, $9}, {$10, $11}"}}},
      {"the registers of b change places",
       kAccumulate,
       accumulate_block,
       {{{"ptx.cuh", "\"r\"(a[0])", kMma, 64}, 47, "$1 {$2, $3, $4, $5}, {$6, $7, $8, $9}, {$11, $10}"}}},
      {"sums of two rows change places",
       kForward,
       forward_plain,
       {{{"ptx.cuh", "\"r\"(a[0])", kMma, 32}, 31, "$1 {$4, $3, $2, $5}, {$6, $7, $8, $9}, {$10, $11}"}}},
      {"G is staged unpermuted: bank conflicts",
       kBackward,
       backward_plain,
       {{{"gradient.cuh", "g.at(r, c + 1) -= Type::high(pair)", "and\\.b32\\s+(\\S+ \\S+) 7;", 1},
         kEach,
         "and.b32 $1 0;"},
        {{"tile.cuh", kAlongSide, "sub\\.s32\\s+(%r\\d+),.*;", 10}, kEach, "mov.u32 $1, 0;"}}},
  };
}

}  // namespace

std::vector<Mutant> pipeline_mutants() {
  std::vector<Mutant> all = copy_mutants();
  const std::vector<Mutant> more = product_mutants();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace mutation
