// ld, st, cvta, prefetch, fences.
#include "instruction_builder.h"
#include "memory.h"

namespace infcl::emulator {
namespace {

// One element of a lane: memory of `size` bytes against a register lane of `width` bytes.
template <class Memory, class Register>
void load_element(uint8_t* destination, const LanePointers& p, size_t element, uint32_t mask) {
  auto* d = reinterpret_cast<Register*>(destination);
  for_each_lane(mask, [&](int lane) {
    Memory value;
    std::memcpy(&value, p.at[lane] + element * sizeof(Memory), sizeof value);
    d[lane] = static_cast<Register>(value);  // sign-extends if Memory is signed
  });
}

template <class Memory, class Register>
void store_element(const uint8_t* source, const LanePointers& p, size_t element, uint32_t mask) {
  auto* s = reinterpret_cast<const Register*>(source);
  for_each_lane(mask, [&](int lane) {
    auto value = static_cast<Memory>(s[lane]);
    std::memcpy(p.at[lane] + element * sizeof(Memory), &value, sizeof value);
  });
}

template <class Memory, class Register>
void load(Warp& warp, const Instruction& in, uint32_t mask) {
  LaneAddresses addresses = read_addresses(warp, in, in.operands[in.count], mask);
  LanePointers p = resolve(warp, in, in.space, addresses, sizeof(Memory) * in.count, Access::kRead, mask);
  for (size_t i = 0; i < in.count; i++)
    load_element<Memory, Register>(warp.lanes<uint8_t>(in.operands[i]), p, i, mask);
}

template <class Memory, class Register>
void store(Warp& warp, const Instruction& in, uint32_t mask) {
  LaneAddresses addresses = read_addresses(warp, in, in.operands[0], mask);
  LanePointers p = resolve(warp, in, in.space, addresses, sizeof(Memory) * in.count, Access::kWrite, mask);
  for (size_t i = 0; i < in.count; i++)
    store_element<Memory, Register>(warp.lanes<uint8_t>(in.operands[1 + i]), p, i, mask);
}

Execute pick_load(Type type, uint8_t width) {
  const bool sign = is_signed(type) && !is_float(type);
  switch (type_bytes(type) * 16 + width) {
    case 0x12:
      return sign ? load<int8_t, int16_t> : load<uint8_t, uint16_t>;
    case 0x14:
      return sign ? load<int8_t, int32_t> : load<uint8_t, uint32_t>;
    case 0x18:
      return sign ? load<int8_t, int64_t> : load<uint8_t, uint64_t>;
    case 0x22:
      return load<uint16_t, uint16_t>;
    case 0x24:
      return sign ? load<int16_t, int32_t> : load<uint16_t, uint32_t>;
    case 0x28:
      return sign ? load<int16_t, int64_t> : load<uint16_t, uint64_t>;
    case 0x44:
      return load<uint32_t, uint32_t>;
    case 0x48:
      return sign ? load<int32_t, int64_t> : load<uint32_t, uint64_t>;
    case 0x88:
      return load<uint64_t, uint64_t>;
    default:
      return nullptr;
  }
}

Execute pick_store(Type type, uint8_t width) {
  switch (type_bytes(type) * 16 + width) {
    case 0x12:
      return store<uint8_t, uint16_t>;
    case 0x14:
      return store<uint8_t, uint32_t>;
    case 0x18:
      return store<uint8_t, uint64_t>;
    case 0x22:
      return store<uint16_t, uint16_t>;
    case 0x24:
      return store<uint16_t, uint32_t>;
    case 0x28:
      return store<uint16_t, uint64_t>;
    case 0x44:
      return store<uint32_t, uint32_t>;
    case 0x48:
      return store<uint32_t, uint64_t>;
    case 0x88:
      return store<uint64_t, uint64_t>;
    default:
      return nullptr;
  }
}

Space take_space(InstructionBuilder& b) {
  if (b.take("global")) return Space::kGlobal;
  if (b.take("shared") || b.take("shared::cta")) return Space::kShared;
  if (b.take("local")) return Space::kLocal;
  if (b.take("const")) return Space::kConst;
  if (b.take("param") || b.take("param::entry") || b.take("param::func")) return Space::kParam;
  return Space::kGeneric;
}

// Where data is cached and how strongly accesses are ordered changes nothing here: the emulator is
// sequentially consistent and has no caches. (A missing fence between blocks is not found.)
void take_cache_hints(InstructionBuilder& b) {
  b.take_one_of({"relaxed", "acquire", "release", "weak", "volatile"});
  b.take_one_of({"cta", "cluster", "gpu", "sys"});
  b.take("nc");
  b.take_one_of({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  while (!b.take_prefixed("L1::").empty()) {
  }
  while (!b.has("L2::cache_hint") && !b.take_prefixed("L2::").empty()) {
  }
}

uint8_t take_vector(InstructionBuilder& b) {
  if (b.take("v2")) return 2;
  if (b.take("v4")) return 4;
  return 1;
}

void decode_load(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  in.space = take_space(b);
  take_cache_hints(b);
  in.count = take_vector(b);
  in.type = b.take_type();
  in.width = b.destinations(0, in.count);
  b.address(1);
  if (in.count * type_bytes(in.type) > 16) b.fail("more than 16 bytes");
  in.execute = pick_load(in.type, in.width);
  if (!in.execute) b.fail("type and register disagree");
}

void decode_store(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  in.space = take_space(b);
  take_cache_hints(b);
  in.count = take_vector(b);
  in.type = b.take_type();
  b.address(0);
  in.width = b.sources(1, in.count, in.type);
  if (in.count * type_bytes(in.type) > 16) b.fail("more than 16 bytes");
  if (in.space == Space::kParam || in.space == Space::kConst) b.fail("store to a read-only space");
  in.execute = pick_store(in.type, in.width);
  if (!in.execute) b.fail("type and register disagree");
}

uint64_t window_of(Space space) {
  switch (space) {
    case Space::kShared:
      return kSharedWindow;
    case Space::kLocal:
      return kLocalWindow;
    case Space::kParam:
      return kParamWindow;
    default:
      return 0;
  }
}

void convert_address(Warp& warp, const Instruction& in, uint32_t mask) {
  uint64_t* d = warp.lanes<uint64_t>(in.operands[0]);
  const uint64_t* a = warp.lanes<uint64_t>(in.operands[1]);
  const auto window = static_cast<uint64_t>(in.immediate);  // 0 - window when leaving generic addresses
  for_each_lane(mask, [=](int lane) { d[lane] = a[lane] + window; });
}

void decode_cvta(InstructionBuilder& b) {
  Instruction& in = b.instruction;
  const bool to_space = b.take("to");
  const uint64_t window = window_of(take_space(b));
  b.require("u64");
  b.destination(0, Type::kU64);
  b.source(1, Type::kU64);
  in.immediate = static_cast<int64_t>(to_space ? 0 - window : window);
  in.execute = convert_address;
}

void test_space(Warp& warp, const Instruction& in, uint32_t mask) {
  uint32_t& d = warp.predicate(in.operands[0]);
  const uint64_t* a = warp.lanes<uint64_t>(in.operands[1]);
  const uint64_t window = window_of(in.space) >> 56;
  uint32_t bits = 0;
  for_each_lane(mask, [&](int lane) {
    uint64_t top = a[lane] >> 56;
    bits |= uint32_t{window ? top == window : top == 0} << lane;
  });
  d = (d & ~mask) | bits;
}

void decode_isspacep(InstructionBuilder& b) {
  b.instruction.space = take_space(b);
  if (b.instruction.space == Space::kGeneric) b.fail("no space");
  b.destination_predicate(0);
  b.source(1, Type::kU64);
  b.instruction.execute = test_space;
}

void nothing(Warp&, const Instruction&, uint32_t) {}

void decode_prefetch(InstructionBuilder& b) {
  take_space(b);
  b.require_one_of({"L1", "L2"});
  b.instruction.execute = nothing;
}

void decode_fence(InstructionBuilder& b) {
  if (b.take("mbarrier_init")) return decode_barrier_fence(b);
  b.take_one_of({"sc", "acq_rel", "acquire", "release"});
  b.require_one_of({"cta", "gl", "sys", "gpu", "cluster"});
  b.instruction.execute = nothing;
}

}  // namespace

void add_memory_opcodes(DecodeTable& table) {
  table["ld"] = decode_load;
  table["ldu"] = decode_load;
  table["st"] = decode_store;
  table["cvta"] = decode_cvta;
  table["isspacep"] = decode_isspacep;
  table["prefetch"] = decode_prefetch;
  table["membar"] = decode_fence;
  table["fence"] = decode_fence;
}

}  // namespace infcl::emulator
