// mbarrier, cp.async.bulk.tensor, fence.mbarrier_init, setmaxnreg, and what blocks of a cluster do to each
// other: mapa, barrier.cluster.
#include <cstring>

#include "cluster.h"
#include "instruction_builder.h"
#include "memory.h"
#include "tensor_map_sm90.h"

namespace infcl::emulator {
namespace {

uint32_t lane_of(uint32_t mask) { return static_cast<uint32_t>(__builtin_ctz(mask)); }

// The barrier that all lanes of the mask name.
uint32_t barrier_of(Warp& warp, const LaneAddresses& addresses, uint32_t mask) {
  const uint64_t first = addresses.at[lane_of(mask)];
  for (uint32_t m = mask; m; m &= m - 1)
    if (addresses.at[lane_of(m)] != first)
      warp.fail(Fault::kLaunchFailed, "lanes at several mbarriers: not modelled");
  return static_cast<uint32_t>(first);
}

void initialize(Warp& warp, const Instruction& in, uint32_t mask) {
  if (mask & (mask - 1)) warp.fail(Fault::kLaunchFailed, "several lanes initialise an mbarrier");
  const uint32_t barrier = barrier_of(warp, read_addresses(warp, in, in.operands[0], mask), mask);
  warp.block().transaction_barriers().initialize(warp, own_offset(warp, barrier),
                                                 warp.lanes<uint32_t>(in.operands[1])[lane_of(mask)]);
}

// kOfCluster: the scope of the release. That of the block, the default, orders nothing for another block.
template <bool kOfCluster>
void arrive(Warp& warp, const Instruction& in, uint32_t mask) {
  const uint32_t barrier = barrier_of(warp, read_addresses(warp, in, in.operands[1], mask), mask);
  uint64_t bytes = 0;
  if (in.operands[2] != kNoRegister)
    for (uint32_t m = mask; m; m &= m - 1) bytes += warp.lanes<uint32_t>(in.operands[2])[lane_of(m)];
  const bool elsewhere = in.variant;
  const uint32_t offset = elsewhere ? offset_in_block(barrier) : own_offset(warp, barrier);
  Block& block = elsewhere ? block_of(warp, barrier) : warp.block();
  block.transaction_barriers().arrive(
      warp, offset,
      {static_cast<uint32_t>(__builtin_popcount(mask)), bytes, kOfCluster || &block == &warp.block()});
}

void try_wait(Warp& warp, const Instruction& in, uint32_t mask) {
  const uint32_t barrier = barrier_of(warp, read_addresses(warp, in, in.operands[1], mask), mask);
  const uint32_t parity = warp.lanes<uint32_t>(in.operands[2])[lane_of(mask)];
  for (uint32_t m = mask; m; m &= m - 1)
    if (warp.lanes<uint32_t>(in.operands[2])[lane_of(m)] != parity)
      warp.fail(Fault::kLaunchFailed, "lanes wait for several phases: not modelled");
  if (parity > 1) warp.fail(Fault::kLaunchFailed, "parity " + std::to_string(parity));
  uint32_t& over = warp.predicate(in.operands[0]);
  if (warp.block().transaction_barriers().is_over(warp, own_offset(warp, barrier), parity)) {
    over |= mask;
  } else {
    over &= ~mask;
    warp.yield();
  }
}

void decode_mbarrier(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  const int action = b.require_one_of({"init", "arrive", "try_wait"});
  const bool elsewhere = action == 1 && b.take("shared::cluster");
  const bool of_cluster = elsewhere && b.take("release");  // else .release.cta, the default
  if (of_cluster) b.require("cluster");
  if (!elsewhere) b.require("shared::cta");
  in.variant = elsewhere;
  b.require("b64");
  in.space = Space::kShared;
  if (action == 0) {
    b.address(0);
    b.source(1, Type::kU32);
    in.execute = initialize;
  } else if (action == 1) {
    const bool expects = b.take("expect_tx");
    if (b.syntax(0).name != "_") b.fail("the state of an arrival");
    b.unused_operand();
    b.address(1);
    if (expects)
      b.source(2, Type::kU32);
    else
      b.unused_operand();
    if (b.operand_count() != (expects ? 3 : 2)) b.fail("operand count");
    in.execute = of_cluster ? arrive<true> : arrive<false>;
  } else {
    b.require("parity");
    b.destination_predicate(0);
    b.address(1);
    b.source(2, Type::kU32);
    if (b.operand_count() != 3) b.fail("operand count");
    in.execute = try_wait;
  }
}

EncodedTensorMap read_map(Warp& warp, uint64_t address) {
  const std::vector<uint8_t>& parameters = warp.launch().parameters;
  const uint64_t offset = address - kParamWindow;
  if (address < kParamWindow || offset + sizeof(EncodedTensorMap) > parameters.size())
    warp.fail(Fault::kIllegalAddress, "a tensor map outside of the parameters: not modelled");
  if (offset % 64) warp.fail(Fault::kMisalignedAddress, "tensor map not aligned to 64 bytes");
  EncodedTensorMap map;
  std::memcpy(&map, parameters.data() + offset, sizeof map);
  if (map.magic != EncodedTensorMap::kMagic) warp.fail(Fault::kIllegalInstruction, "no tensor map there");
  return map;
}

// operands: shared address, map, x, y, barrier, and the blocks that get the box, or kNoRegister
void copy_box(Warp& warp, const Instruction& in, uint32_t mask) {
  for (uint32_t m = mask; m; m &= m - 1) {
    const uint32_t lane = lane_of(m);
    const EncodedTensorMap map = read_map(warp, warp.lanes<uint64_t>(in.operands[1])[lane]);
    const TensorBox box{map.base,
                        map.row_bytes,
                        map.width,
                        map.height,
                        map.box_columns,
                        map.box_rows,
                        warp.lanes<int32_t>(in.operands[2])[lane],
                        warp.lanes<int32_t>(in.operands[3])[lane],
                        own_offset(warp, warp.lanes<uint32_t>(in.operands[0])[lane])};
    if (box.shared_offset % 128) warp.fail(Fault::kMisalignedAddress, "box not aligned to 128 bytes");
    const uint32_t barrier = own_offset(warp, warp.lanes<uint32_t>(in.operands[4])[lane]);
    uint32_t blocks = 1u << warp.block().rank_in_cluster();
    if (in.operands[5] != kNoRegister) blocks = warp.lanes<uint16_t>(in.operands[5])[lane];
    if (blocks == 0) warp.fail(Fault::kLaunchFailed, "multicast to no block");
    for (; blocks; blocks &= blocks - 1)
      block_of(warp, cluster_address(warp, kSharedBase, lane_of(blocks)))
          .transaction_barriers()
          .copy(warp, barrier, box);
    LaunchStatistics& s = warp.statistics();
    s.async_copies++;
    s.global_requests++;
    s.global_sectors += box.bytes() / 32;
    s.copied_bytes += box.bytes();
  }
}

void take_registers(Warp& warp, const Instruction& in, uint32_t) {
  if (warp.block().register_pool().take(warp, static_cast<uint32_t>(in.immediate))) return;
  warp.retry();
  warp.yield();
}

void give_registers(Warp& warp, const Instruction& in, uint32_t) {
  warp.block().register_pool().give(warp, static_cast<uint32_t>(in.immediate));
}

void decode_setmaxnreg(InstructionBuilder& b) {
  const bool takes = b.require_one_of({"inc", "dec"}) == 0;
  b.require("sync");
  b.require("aligned");
  b.require("u32");
  const int64_t registers = b.immediate(0);
  if (registers < 24 || registers > 256 || registers % 8) b.fail("number of registers");
  b.instruction.rendezvous = Rendezvous::kWholeWarp;
  b.instruction.immediate = registers;
  b.instruction.execute = takes ? take_registers : give_registers;
}

template <bool kReleases>
void arrive_in_cluster(Warp& warp, const Instruction&, uint32_t) {
  warp.block().cluster().barrier().arrive(warp, kReleases);
}

void wait_in_cluster(Warp& warp, const Instruction&, uint32_t) {
  if (warp.block().cluster().barrier().is_over(warp)) return;
  warp.retry();
  warp.yield();
}

void map_address(Warp& warp, const Instruction& in, uint32_t mask) {
  for (uint32_t m = mask; m; m &= m - 1) {
    const uint32_t lane = lane_of(m);
    warp.lanes<uint32_t>(in.operands[0])[lane] = cluster_address(
        warp, warp.lanes<uint32_t>(in.operands[1])[lane], warp.lanes<uint32_t>(in.operands[2])[lane]);
  }
}

void decode_mapa(InstructionBuilder& b) {
  b.require("shared::cluster");
  b.require("u32");
  if (b.operand_count() != 3) b.fail("operand count");
  b.destination(0, Type::kU32);
  b.source(1, Type::kU32);
  b.source(2, Type::kU32);
  b.instruction.execute = map_address;
}

uint32_t plain_address(InstructionBuilder& b, size_t i, Type type) {
  const OperandSyntax& a = b.syntax(i);
  if (a.kind != OperandSyntax::Kind::kAddress || a.bits != 0) b.fail("expected [register]");
  OperandSyntax base;
  base.name = a.name;
  return b.source_register(base, type);
}

}  // namespace

void decode_barrier_fence(InstructionBuilder& b) {
  b.require("release");
  b.require("cluster");
  b.instruction.execute = [](Warp& warp, const Instruction&, uint32_t) {
    warp.block().transaction_barriers().make_visible(warp);
  };
}

// [shared], [map, {x, y}], [barrier], and with multicast a mask of blocks
void decode_bulk_copy(InstructionBuilder& b) {
  for (const char* m : {"tensor", "2d", "shared::cluster", "global", "mbarrier::complete_tx::bytes"})
    b.require(m);
  b.take("tile");
  const bool multicast = b.take("multicast::cluster");
  if (b.operand_count() != (multicast ? 4u : 3u)) b.fail("operand count");
  const std::vector<OperandSyntax>& coordinates = b.syntax(1).items;
  if (coordinates.size() != 1 || coordinates[0].items.size() != 2) b.fail("expected two coordinates");
  Instruction& in = b.instruction;
  in.operands = {plain_address(b, 0, Type::kU32),
                 plain_address(b, 1, Type::kU64),
                 b.source_register(coordinates[0].items[0], Type::kS32),
                 b.source_register(coordinates[0].items[1], Type::kS32),
                 plain_address(b, 2, Type::kU32),
                 multicast ? b.source_register(b.syntax(3), Type::kU16) : kNoRegister};
  in.execute = copy_box;
}

void decode_cluster_barrier(InstructionBuilder& b) {
  const bool arrives = b.require_one_of({"arrive", "wait"}) == 0;
  const bool releases = arrives && b.require_one_of({"release", "relaxed"}) == 0;
  if (!arrives) b.require("acquire");
  b.require("aligned");
  b.instruction.rendezvous = Rendezvous::kAllAlive;
  b.instruction.execute = !arrives   ? wait_in_cluster
                          : releases ? arrive_in_cluster<true>
                                     : arrive_in_cluster<false>;
}

void add_transaction_opcodes(DecodeTable& table) {
  table["mbarrier"] = decode_mbarrier;
  table["setmaxnreg"] = decode_setmaxnreg;
  table["mapa"] = decode_mapa;
}

}  // namespace infcl::emulator
