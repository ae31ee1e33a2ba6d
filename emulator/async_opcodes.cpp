// cp.async and its groups.
#include "block.h"
#include "instruction_builder.h"
#include "memory.h"

namespace infcl::emulator {

void AsyncCopies::issue(Copy copy) {
  copy.group = group_[copy.lane];
  copies_.push_back(copy);
}

void AsyncCopies::commit(uint32_t mask) {
  for (uint32_t m = mask; m; m &= m - 1) group_[__builtin_ctz(m)]++;
}

void AsyncCopies::wait(Warp& warp, uint32_t mask, uint64_t pending_groups) {
  size_t kept = 0;
  for (const Copy& c : copies_) {
    if (!(mask >> c.lane & 1) || c.group + pending_groups >= group_[c.lane]) {
      copies_[kept++] = c;
      continue;
    }
    std::memcpy(c.to, c.from, c.source_bytes);
    std::memset(c.to + c.source_bytes, 0, c.bytes - c.source_bytes);
    if (SharedShadow* shadow = warp.block().shadow())
      shadow->end_copy(warp.index_in_cluster(), c.shared_offset, c.bytes);
  }
  copies_.resize(kept);
}

void AsyncCopies::wait_all(Warp& warp, uint32_t mask) {
  commit(mask);
  wait(warp, mask, 0);
}

namespace {

// operands: shared address, global address, bytes to read
void copy_async(Warp& warp, const Instruction& in, uint32_t mask) {
  LaneAddresses to = read_addresses(warp, in, in.operands[0], mask);
  const uint64_t* from = warp.lanes<uint64_t>(in.operands[1]);
  const uint32_t* source_bytes =
      in.operands[2] == kNoRegister ? nullptr : warp.lanes<uint32_t>(in.operands[2]);
  const size_t bytes = in.width;
  const Allocation* hint = nullptr;
  LaneAddresses read;
  uint32_t reading = 0;
  for (uint32_t m = mask; m; m &= m - 1) {
    const int lane = __builtin_ctz(m);
    AsyncCopies::Copy copy{};
    copy.lane = static_cast<uint8_t>(lane);
    copy.shared_offset = own_offset(warp, to.at[lane]);
    copy.to = shared_pointer(warp, copy.shared_offset, bytes, bytes);
    copy.bytes = in.width;
    copy.source_bytes = source_bytes ? source_bytes[lane] : in.width;
    if (copy.source_bytes > bytes) warp.fail(Fault::kLaunchFailed, "cp.async reads more than it writes");
    read.at[lane] = from[lane] + static_cast<uint64_t>(in.source_displacement);
    copy.from = copy.to;
    if (copy.source_bytes > 0) {
      copy.from = global_pointer(warp, read.at[lane], copy.source_bytes, bytes, &hint);
      if (hint->shadow) touch_global(warp, *hint, read.at[lane], copy.source_bytes, Access::kRead);
      reading |= 1u << lane;
    }
    if (SharedShadow* shadow = warp.block().shadow())
      report(warp,
             shadow->begin_copy(warp.index_in_cluster(), copy.shared_offset, bytes, warp.instruction()));
    std::memset(copy.to, 0xff, bytes);
    warp.copies().issue(copy);
  }
  LaunchStatistics& s = warp.statistics();
  s.async_copies += static_cast<uint64_t>(__builtin_popcount(mask));
  s.global_requests++;
  s.global_sectors += count_sectors(read, bytes, reading);
  s.shared_requests++;
  s.shared_waves += count_waves(to, bytes, mask);
}

void decode_copy(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  const bool all_levels = b.require_one_of({"ca", "cg"}) == 0;
  if (!b.take("shared")) b.require("shared::cta");
  b.require("global");
  b.take_prefixed("L2::");
  const int64_t bytes = b.immediate(2);
  if (bytes != 16 && (!all_levels || (bytes != 4 && bytes != 8))) b.fail("size");
  in.width = static_cast<uint8_t>(bytes);
  b.address(1);
  in.source_displacement = in.immediate;
  if (in.base_width != 8) b.fail("width of the source address");
  b.address(0);
  std::swap(in.operands[0], in.operands[1]);
  if (b.operand_count() == 4)
    b.source(3, Type::kU32);
  else
    b.unused_operand();
  if (b.operand_count() > 4) b.fail("operand count");
  in.execute = copy_async;
}

void decode_cp(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  b.require("async");
  if (b.take("bulk")) return decode_bulk_copy(b);
  if (b.take("commit_group")) {
    in.execute = [](Warp& warp, const Instruction&, uint32_t mask) { warp.copies().commit(mask); };
  } else if (b.take("wait_group")) {
    in.immediate = b.immediate(0);
    in.execute = [](Warp& warp, const Instruction& i, uint32_t mask) {
      warp.copies().wait(warp, mask, static_cast<uint64_t>(i.immediate));
    };
  } else if (b.take("wait_all")) {
    in.execute = [](Warp& warp, const Instruction&, uint32_t mask) { warp.copies().wait_all(warp, mask); };
  } else {
    decode_copy(b);
  }
}

}  // namespace

void add_async_opcodes(DecodeTable& table) { table["cp"] = decode_cp; }

}  // namespace infcl::emulator
