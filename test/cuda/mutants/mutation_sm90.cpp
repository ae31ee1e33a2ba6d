// Mutants of what sm_90 does in its own way: tensor copies, their barriers, the ring, clusters. Products of
// warpgroups are in mutation_wgmma.cpp.
#include "mutation.h"

namespace mutation {

namespace {

constexpr const char* kForward = "scores_forward_plain_two_planes_sm90_kernel";
constexpr const char* kBackward = "scores_backward_plain_two_planes_sm90_kernel";
constexpr const char* kAccumulate = "accumulate_two_planes_sm90_kernel";

// Instructions. There are four loops: consumers', and the producer's for each of three products.
constexpr const char* kInitialize = "mbarrier\\.init\\.shared::cta\\.b64 \\[(%r\\d+)\\], (%r\\d+);";
constexpr const char* kCopy =
    "(cp\\.async\\.bulk\\S+ \\[%r\\d+\\], \\[%rd\\d+,) \\{(%r\\d+), (%r\\d+)\\}\\], \\[(%r\\d+)\\];";
constexpr const char* kExpected = "mov\\.u32\\s+(%r\\d+), 32768;";
constexpr const char* kOver = "setp\\.eq\\.s32\\s+(\\S+ \\S+) 0;";
constexpr const char* kTurn = "xor\\.b32\\s+(%r\\d+), (%r\\d+), (%r\\d+);";

// Lines of the kernels.
constexpr const char* kIsOver = "return over;";
constexpr const char* kParity = "if (++stage == kStagesSm90) {";

std::vector<Mutant> copy_mutants() {
  return {
      {"coordinates of a box change places",
       kForward,
       forward_deep,
       {{{"", "", kCopy, 12}, 0, "$1 {$3, $2}], [$4];"}}},
      {"the second box of columns is the first again",
       kBackward,
       backward_deep,
       {{{"", "", "add\\.s32\\s+(%r\\d+, %r\\d+), 64;", 6}, 1, "add.s32 $1, 0;"}}},
      {"the second box lands on the first",
       kForward,
       forward_deep,
       {{{"", "", "add\\.s32\\s+(%r\\d+, %r\\d+), 8192;", 3}, 0, "add.s32 $1, 0;"}}},
      {"the second box lands half a kilobyte off",
       kAccumulate,
       accumulate_block,
       {{{"", "", "add\\.s32\\s+(%r\\d+, %r\\d+), 8192;", 6}, 0, "add.s32 $1, 7680;"}}},
      {"a box arrives at another stage's barrier",
       kForward,
       forward_deep,
       {{{"", "", kCopy, 12}, 1, "add.s32 $4, $4, 8;\n\t$1 {$2, $3}], [$4];\n\tsub.s32 $4, $4, 8;"}}},
      {"fewer bytes are announced than come",
       kForward,
       forward_deep,
       {{{"", "", kExpected, 3}, 0, "mov.u32 $1, 32752;"}}},
      {"more bytes are announced than come",
       kAccumulate,
       accumulate_block,
       {{{"", "", kExpected, 6}, 2, "mov.u32 $1, 36864;"}}},
      {"the product with the rows' low plane takes the high one",
       kForward,
       forward_deep,
       {{{"", "", "add\\.s64\\s+(%rd\\d+, %rd\\d+), 128;", 1}, 0, "add.s64 $1, 0;"}}},
      {"the product with the columns' low plane takes the high one",
       kBackward,
       backward_deep,
       {{{"", "", "add\\.s64\\s+(%rd\\d+, %rd\\d+), 384;", 1}, 0, "add.s64 $1, 256;"}}},
      {"depths of a step are half as far apart",
       kForward,
       forward_deep,
       {{{"mainloop_sm90.cuh", "const int depth = origin.depth + step * kBox",
          "shl\\.b32\\s+(%r\\d+, %r\\d+), 6;", 3},
         1,
         "shl.b32 $1, 5;"}}},
      {"every lane of the producer copies",
       kForward,
       forward_deep,
       {{{"mainloop_sm90.cuh", "if (threadIdx.x == kThreads)", "setp\\.ne\\.s32\\s+(\\S+ \\S+) 256;", 1},
         0,
         "setp.lt.s32 $1 256;"}}},
  };
}

std::vector<Mutant> barrier_mutants() {
  return {
      {"a full stage takes two arrivals",
       kForward,
       forward_deep,
       {{{"", "", kInitialize, 8}, 0, "mbarrier.init.shared::cta.b64 [$1], 2;"}}},
      {"an empty stage takes one warp less",
       kForward,
       forward_deep,
       {{{"", "", kInitialize, 8}, 1, "mbarrier.init.shared::cta.b64 [$1], 7;"}}},
      {"an empty stage takes one warp more",
       kBackward,
       backward_deep,
       {{{"", "", kInitialize, 8}, 7, "mbarrier.init.shared::cta.b64 [$1], 9;"}}},
      {"barriers are not fenced for copies",
       kForward,
       forward_deep,
       {{{"", "", "fence\\.mbarrier_init", 1}, 0, ""}}},
      {"barriers are used before they are there",
       kAccumulate,
       accumulate_block,
       {{{"tile_sm90.cuh", "if (!shares) return __syncthreads();", "bar\\.sync", 2}, kEach, ""}}},
      {"a stage is read before it is full",
       kForward,
       forward_deep,
       {{{"ptx_sm90.cuh", kIsOver, kOver, 4}, 0, "setp.eq.s32 $1 2;"}}},
      {"a stage is filled before it is empty",
       kForward,
       forward_deep,
       {{{"ptx_sm90.cuh", kIsOver, kOver, 4}, 3, "setp.eq.s32 $1 2;"}}},
      {"the first round waits to be emptied",
       kForward,
       forward_deep,
       {{{"mainloop_sm90.cuh", "ring.empty[at.stage].wait(at.parity ^ 1)", "xor\\.b32\\s+(\\S+ \\S+) 1;", 3},
         0,
         "xor.b32 $1 0;"}}},
      {"consumers do not notice that the ring went round",
       kBackward,
       backward_deep,
       {{{"tile_sm90.cuh", kParity, kTurn, 4}, 0, ""}}},
      {"the producer does not notice that the ring went round",
       kForward,
       forward_deep,
       {{{"tile_sm90.cuh", kParity, kTurn, 4}, 2, ""}}},
      {"consumers skip the last stage of the ring",
       kForward,
       forward_deep,
       {{{"tile_sm90.cuh", kParity, "setp\\.eq\\.s32\\s+(\\S+ \\S+) 4;", 4}, 0, "setp.eq.s32 $1 3;"}}},
      {"the producer runs over the ring",
       kForward,
       forward_deep,
       {{{"tile_sm90.cuh", kParity, "setp\\.eq\\.s32\\s+(\\S+ \\S+) 4;", 4}, 2, "setp.eq.s32 $1 5;"}}},
      {"the epilogue takes over the ring too early",
       kBackward,
       backward_deep,
       {{{"", "", "bar\\.sync\\s+1, 256;", 6}, 0, ""}}},
      {"a barrier of the epilogue waits for the producer",
       kForward,
       forward_deep,
       {{{"", "", "bar\\.sync\\s+1, 256;", 7}, 1, "bar.sync 1, 384;"}}},
      {"consumers take more registers than the producer gives",
       kForward,
       forward_deep,
       {{{"", "", "setmaxnreg\\.inc\\.sync\\.aligned\\.u32 232;", 1},
         0,
         "setmaxnreg.inc.sync.aligned.u32 240;"}}},
      {"the producer keeps its registers",
       kForward,
       forward_deep,
       {{{"", "", "setmaxnreg\\.dec", 1}, 0, ""}}},
  };
}

std::vector<Mutant> cluster_mutants() {
  return {
      {"nobody loads the second half of a shared tile",
       kForward,
       forward_deep,
       {{{"", "", "setp\\.ne\\.s32\\s+(%p\\d+, %r\\d+), 1;", 3}, 1, "setp.ne.s32 $1, 2;"}}},
      {"half of a shared tile goes to one block alone",
       kBackward,
       backward_deep,
       {{{"", "", "mov\\.u16\\s+(%rs\\d+), 3;", 6}, 3, "mov.u16 $1, 1;"}}},
      {"half of a shared tile goes to the other block alone",
       kAccumulate,
       accumulate_wide,
       {{{"", "", "mov\\.u16\\s+(%rs\\d+), 3;", 12}, 0, "mov.u16 $1, 2;"}}},
      {"stages are not handed back to the neighbour",
       kForward,
       forward_deep,
       {{{"", "", "mbarrier\\.arrive\\.shared::cluster", 1}, 0, ""}}},
      {"the neighbour's stage is filled before it is empty",
       kForward,
       forward_deep,
       {{{"", "", "mbarrier\\.arrive\\.shared::cluster", 1}, 0, ""},
        {{"", "", "selp\\.b32\\s+(%r\\d+), 8, 16,", 1}, 0, "selp.b32 $1, 8, 8,"}}},
      {"the neighbour's barriers are used before they are there",
       kForward,
       forward_deep,
       {{{"", "", "barrier\\.cluster\\.arrive\\S+", 2}, 0, "bar.sync 0;"},
        {{"", "", "barrier\\.cluster\\.wait", 2}, 0, ""}}},
      {"a block exits while its neighbour may still arrive",
       kForward,
       forward_deep,
       {{{"", "", "barrier\\.cluster\\.arrive", 2}, 1, ""},
        {{"", "", "barrier\\.cluster\\.wait", 2}, 1, ""}}},
      {"a block arrives before it has handed back its last stage",
       kForward,
       forward_deep,
       {{{"", "", "barrier\\.cluster\\.arrive", 2}, 1, ""},
        {{"", "", "setmaxnreg\\.inc\\S+ 232;", 1},
         0,
         "setmaxnreg.inc.sync.aligned.u32 232;\n\tbarrier.cluster.arrive.release.aligned;"}}},
      {"a block's arrival may overtake its last hand-back",
       kForward,
       forward_deep,
       {{{"", "", "barrier\\.cluster\\.arrive\\.release", 1}, 0, "barrier.cluster.arrive.relaxed"}}},
      {"neighbours meet before their barriers are fenced",
       kForward,
       forward_deep,
       {{{"", "", "fence\\.mbarrier_init\\S+", 1}, 0, ""},
        {{"", "", "barrier\\.cluster\\.wait\\S+", 2},
         0,
         "barrier.cluster.wait.acquire.aligned;\n\tfence.mbarrier_init.release.cluster;"}}},
      {"a block loads half for a neighbour that has no work",
       kForward,
       forward_triangle,
       {{{"scores_sm90.cuh", "return Neighbour(row < a.row_count", "selp\\.u16\\s+(%rs\\d+), 1, 0,", 1},
         0,
         "selp.u16 $1, 1, 1,"}}},
      {"a block beyond the last row takes part",
       kBackward,
       backward_one_tile,
       {{{"scores_backward_sm90.cu", "if (tile.rows <= 0 ||", "setp\\.lt\\.s32\\s+(\\S+ \\S+) 1;", 1},
         0,
         "setp.lt.s32 $1 -1000;"}}},
  };
}

}  // namespace

std::vector<Mutant> sm90_mutants() {
  std::vector<Mutant> all;
  for (const auto& some : {copy_mutants(), barrier_mutants(), cluster_mutants()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace mutation
