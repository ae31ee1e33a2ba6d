// Mutants of the products that warpgroups of sm_90 make: descriptors, fences, waits.
#include "mutation.h"

namespace mutation {

namespace {

constexpr const char* kForward = "scores_forward_plain_two_planes_sm90_kernel";
constexpr const char* kBackward = "scores_backward_plain_two_planes_sm90_kernel";
constexpr const char* kAccumulate = "accumulate_two_planes_sm90_kernel";
// Descriptors: all but the address.
constexpr const char* kAlongDepth = "4611686293305360384";
constexpr const char* kAlongSide = "4611686293338849280";
constexpr const char* kWgmma = "(wgmma\\.mma_async\\S+)\\.bf16\\.bf16 (.*), 1, 1, (\\d), (\\d);";
constexpr const char* kOperands = "out.value, a + k * next_terms<kA>()";

}  // namespace

std::vector<Mutant> wgmma_mutants() {
  return {
      {"products without a fence before them",
       kForward,
       forward_deep,
       {{{"", "", "wgmma\\.fence", 1}, 0, ""}}},
      {"products that nobody commits",
       kForward,
       forward_deep,
       {{{"", "", "wgmma\\.commit_group", 1}, 0, ""}}},
      {"a stage is handed back with its products under way",
       kForward,
       forward_deep,
       {{{"", "", "wgmma\\.wait_group\\.sync\\.aligned 1;", 1}, 0, "wgmma.wait_group.sync.aligned 2;"}}},
      {"sums are read before the last products are done",
       kBackward,
       backward_deep,
       {{{"", "", "wgmma\\.wait_group\\.sync\\.aligned 0;", 1}, 0, "wgmma.wait_group.sync.aligned 1;"}}},
      {"every stage starts afresh",
       kForward,
       forward_deep,
       {{{"ptx_sm90.cuh", "INFCL_WGMMA(\"bf16\")", "selp\\.u32\\s+(%r\\d+), 1, 0,", 1},
         0,
         "selp.u32 $1, 1, 1,"}}},
      {"eights of rows are half as far apart",
       kForward,
       forward_deep,
       {{{"", "", kAlongDepth, 2}, 0, "4611686155866406912"}}},
      {"boxes are half as far apart",
       kAccumulate,
       accumulate_block,
       {{{"", "", kAlongSide, 3}, 0, "4611686293322072064"}}},
      {"a descriptor takes the block's rank for a distance of boxes",
       kAccumulate,
       accumulate_wide,
       {{{"mainloop_sm90.cuh", "return kSwizzle128 | kEightRows", "and\\.b32\\s+(%r\\d+), (%r\\d+), 261120;",
          4},
         kEach,
         "mov.b32 $1, $2;"}}},
      {"the swizzle is that of 64 bytes",
       kForward,
       forward_deep,
       {{{"", "", kAlongDepth, 2}, 1, "9223372311732748288"}}},
      {"both warpgroups multiply the same rows",
       kForward,
       forward_deep,
       {{{"mainloop_sm90.cuh", "const int group = warp_id() / 4", "and\\.b32\\s+(\\S+ \\S+) -8192;", 1},
         0,
         "and.b32 $1 0;"}}},
      {"the next terms of a are two further on",
       kForward,
       forward_deep,
       {{{"mainloop_sm90.cuh", kOperands, "or\\.b64\\s+(\\S+ \\S+) 4611686293305360388;", 2},
         0,
         "or.b64 $1 4611686293305360390;"}}},
      {"the next terms of b are as far as if they lay along the depth",
       kAccumulate,
       accumulate_block,
       {{{"mainloop_sm90.cuh", kOperands, "add\\.s64\\s+(\\S+ \\S+) 128;", 3}, 0, "add.s64 $1 2;"}}},
      {"an operand counts as transposed",
       kForward,
       forward_deep,
       {{{"", "", kWgmma, 4}, 2, "$1.bf16.bf16 $2, 1, 1, 0, 1;"}}},
      {"an operand does not count as transposed",
       kAccumulate,
       accumulate_block,
       {{{"", "", kWgmma, 8}, 5, "$1.bf16.bf16 $2, 1, 1, 0, 1;"}}},
      {"operands are taken for float16",
       kBackward,
       backward_deep,
       {{{"", "", kWgmma, 4}, 3, "$1.f16.f16 $2, 1, 1, $3, $4;"}}},
  };
}

}  // namespace mutation
