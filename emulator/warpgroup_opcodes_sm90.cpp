// wgmma. Each warp of a warpgroup executes its quarter by itself.
#include "block.h"
#include "instruction_builder.h"

namespace infcl::emulator {
namespace {

uint64_t uniform(Warp& warp, uint32_t offset) {
  const uint64_t* lanes = warp.lanes<uint64_t>(offset);
  for (int lane = 1; lane < kWarpSize; lane++)
    if (lanes[lane] != lanes[0]) warp.fail(Fault::kLaunchFailed, "lanes disagree about a descriptor");
  return lanes[0];
}

// operands: the accumulators, two descriptors, and whether to accumulate
void issue(Warp& warp, const Instruction& in, uint32_t) {
  constexpr size_t kFirst = WarpgroupProduct::kAccumulators;
  const uint32_t accumulate = warp.predicate(in.operands[kFirst + 2]);
  if (accumulate != 0 && accumulate != kFullMask)
    warp.fail(Fault::kLaunchFailed, "lanes disagree about accumulating");
  WarpgroupProduct p{};
  p.a = uniform(warp, in.operands[kFirst]);
  p.b = uniform(warp, in.operands[kFirst + 1]);
  p.a_along_side = in.variant & 1;
  p.b_along_side = in.variant & 2;
  p.bfloat = in.type == Type::kBF16;
  p.accumulate = accumulate != 0;
  p.instruction = warp.instruction();
  p.registers = in.operands.data();
  warp.products().issue(warp, p);
}

void decode_product(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("m64n128k16");
  b.require("f32");
  const bool bfloat = b.require_one_of({"bf16", "f16"}) == 0;
  b.require(bfloat ? "bf16" : "f16");
  in.type = bfloat ? Type::kBF16 : Type::kF16;
  if (b.operand_count() != 8) b.fail("operand count");
  b.fixed_destinations(0, WarpgroupProduct::kAccumulators, Type::kF32);
  b.source(1, Type::kB64);
  b.source(2, Type::kB64);
  if (b.source_predicate(3)) b.fail("negated predicate");
  if (b.immediate(4) != 1 || b.immediate(5) != 1) b.fail("negated operand");
  for (size_t i : {6, 7}) {
    if (b.immediate(i) != 0 && b.immediate(i) != 1) b.fail("transposition");
    in.variant = static_cast<uint8_t>(in.variant | b.immediate(i) << (i - 6));
  }
  in.execute = issue;
}

void decode_wgmma(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  const int action = b.require_one_of({"mma_async", "fence", "commit_group", "wait_group"});
  b.require("sync");
  b.require("aligned");
  in.rendezvous = Rendezvous::kWholeWarp;
  if (action == 0) return decode_product(b);
  if (action == 1) {
    in.execute = [](Warp& warp, const Instruction&, uint32_t) { warp.products().fence(); };
  } else if (action == 2) {
    in.execute = [](Warp& warp, const Instruction&, uint32_t) { warp.products().commit(); };
  } else {
    in.immediate = b.immediate(0);
    in.execute = [](Warp& warp, const Instruction& i, uint32_t) {
      warp.products().wait(warp, static_cast<uint64_t>(i.immediate));
    };
  }
}

}  // namespace

void add_warpgroup_opcodes(DecodeTable& table) { table["wgmma"] = decode_wgmma; }

}  // namespace infcl::emulator
