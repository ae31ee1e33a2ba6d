#include "memory.h"

#include <algorithm>

#include "block.h"

namespace infcl::emulator {
namespace {

Space space_of_generic(uint64_t address) {
  switch (address >> 56) {
    case kSharedWindow >> 56:
      return Space::kShared;
    case kLocalWindow >> 56:
      return Space::kLocal;
    case kParamWindow >> 56:
      return Space::kParam;
    default:
      return Space::kGlobal;
  }
}

void check_alignment(const Warp& warp, uint64_t address, size_t alignment) {
  if (address % alignment)
    warp.fail(Fault::kMisalignedAddress, "address " + std::to_string(address) + " is not aligned to " +
                                             std::to_string(alignment) + " bytes");
}

uint8_t* local_pointer(Warp& warp, uint64_t offset, size_t bytes, uint32_t lane) {
  const size_t size = warp.launch().kernel.local_bytes;
  check_alignment(warp, offset, bytes);
  if (bytes > size || offset > size - bytes)
    warp.fail(Fault::kIllegalAddress,
              "local address " + std::to_string(offset) + " of " + std::to_string(size) + " bytes");
  return warp.local(lane) + offset;
}

uint8_t* parameter_pointer(Warp& warp, uint64_t offset, size_t bytes) {
  std::vector<uint8_t>& parameters = warp.launch().parameters;
  check_alignment(warp, offset, bytes);
  if (bytes > parameters.size() || offset > parameters.size() - bytes)
    warp.fail(Fault::kIllegalAddress,
              "parameter byte " + std::to_string(offset) + " of " + std::to_string(parameters.size()));
  return parameters.data() + offset;
}

// One lane's pointer; the window of a generic address is gone from `address`.
uint8_t* resolve_lane(Warp& warp, Space space, uint64_t address, size_t bytes, Access access, uint32_t lane,
                      const Allocation** hint) {
  switch (space) {
    case Space::kShared: {
      const uint32_t offset = own_offset(warp, address);
      uint8_t* p = shared_pointer(warp, offset, bytes, bytes);
      if (warp.block().shadow()) touch_shared(warp, offset, bytes, access);
      return p;
    }
    case Space::kLocal:
      return local_pointer(warp, address, bytes, lane);
    case Space::kParam:
      return parameter_pointer(warp, address, bytes);
    default: {
      uint8_t* p = global_pointer(warp, address, bytes, bytes, hint);
      if ((*hint)->shadow) touch_global(warp, **hint, address, bytes, access);
      return p;
    }
  }
}

void count_request(Warp& warp, Space space, const LaneAddresses& addresses, size_t bytes, uint32_t mask) {
  LaunchStatistics& s = warp.statistics();
  if (space == Space::kGlobal || space == Space::kConst) {
    s.global_requests++;
    s.global_sectors += count_sectors(addresses, bytes, mask);
  } else if (space == Space::kShared) {
    s.shared_requests++;
    s.shared_waves += count_waves(addresses, bytes, mask);
  } else if (space == Space::kLocal) {
    s.local_requests++;
  }
}

}  // namespace

LaneAddresses read_addresses(const Warp& warp, const Instruction& in, uint32_t base_register, uint32_t mask) {
  LaneAddresses out;
  const auto displacement = static_cast<uint64_t>(in.immediate);
  if (in.base_width == 8) {
    const uint64_t* base = warp.lanes<uint64_t>(base_register);
    for_each_lane(mask, [&](int lane) { out.at[lane] = base[lane] + displacement; });
  } else {
    const uint32_t* base = warp.lanes<uint32_t>(base_register);
    for_each_lane(mask, [&](int lane) { out.at[lane] = base[lane] + static_cast<uint32_t>(displacement); });
    for_each_lane(mask, [&](int lane) { out.at[lane] = static_cast<uint32_t>(out.at[lane]); });
  }
  return out;
}

LanePointers resolve(Warp& warp, const Instruction&, Space space, const LaneAddresses& addresses,
                     size_t bytes, Access access, uint32_t mask) {
  LanePointers out;
  const Allocation* hint = nullptr;
  if (space != Space::kGeneric) {
    for (uint32_t m = mask; m; m &= m - 1) {
      auto lane = static_cast<uint32_t>(__builtin_ctz(m));
      out.at[lane] = resolve_lane(warp, space, addresses.at[lane], bytes, access, lane, &hint);
    }
    count_request(warp, space, addresses, bytes, mask);
    return out;
  }
  LaneAddresses stripped = addresses;
  uint32_t of_space[6] = {};
  for (uint32_t m = mask; m; m &= m - 1) {
    auto lane = static_cast<uint32_t>(__builtin_ctz(m));
    Space actual = space_of_generic(addresses.at[lane]);
    if (actual != Space::kGlobal) stripped.at[lane] &= (uint64_t{1} << 56) - 1;
    of_space[static_cast<int>(actual)] |= 1u << lane;
    out.at[lane] = resolve_lane(warp, actual, stripped.at[lane], bytes, access, lane, &hint);
  }
  for (Space s : {Space::kGlobal, Space::kShared, Space::kLocal})
    if (uint32_t m = of_space[static_cast<int>(s)]) count_request(warp, s, stripped, bytes, m);
  return out;
}

uint32_t own_offset(const Warp& warp, uint64_t address) {
  const auto shared = static_cast<uint32_t>(address);
  if (shared != address || rank_of(shared) != warp.block().rank_in_cluster())
    warp.fail(Fault::kIllegalAddress, "shared address " + std::to_string(address) + " is not of block " +
                                          std::to_string(warp.block().rank_in_cluster()) +
                                          " of the cluster, which uses it");
  return offset_in_block(shared);
}

uint8_t* shared_pointer(const Warp& warp, uint64_t offset, size_t bytes, size_t alignment) {
  const size_t size = warp.block().shared_bytes();
  if (bytes > size || offset > size - bytes)
    warp.fail(Fault::kIllegalAddress, "shared address " + std::to_string(offset) + " (" +
                                          std::to_string(bytes) + " bytes) of " + std::to_string(size) +
                                          " bytes");
  check_alignment(warp, offset, alignment);
  return warp.block().shared() + offset;
}

uint8_t* global_pointer(const Warp& warp, uint64_t address, size_t bytes, size_t alignment,
                        const Allocation** hint) {
  if (!*hint || !(*hint)->contains(address, bytes)) {
    const DeviceMemory& memory = warp.launch().memory;
    *hint = memory.find(address);
    if (!*hint || !(*hint)->contains(address, bytes))
      warp.fail(Fault::kIllegalAddress, "illegal global address (" + std::to_string(bytes) + " bytes): " +
                                            memory.describe(*hint ? (*hint)->end() - 1 + bytes : address));
  }
  check_alignment(warp, address, alignment);
  return reinterpret_cast<uint8_t*>(address);
}

void report(const Warp& warp, const SharedShadow::Finding& f) {
  using Kind = SharedShadow::Finding::Kind;
  const Options& options = warp.launch().options;
  std::string byte = "shared byte " + std::to_string(f.byte);
  if (f.kind == Kind::kUninitialised && options.check)
    warp.fail(Fault::kLaunchFailed, "read of uninitialised memory: " + byte);
  if (!options.race || f.kind == Kind::kNone || f.kind == Kind::kUninitialised) return;
  std::string other = (f.was_write ? "the write by warp " : "the read by warp ") + std::to_string(f.warp) +
                      " at " + warp.launch().kernel.describe(f.instruction);
  if (f.kind == Kind::kUnderWay)
    warp.fail(Fault::kLaunchFailed,
              byte + " is the destination of a copy that has not been waited for; " + other);
  warp.fail(Fault::kLaunchFailed, "race on " + byte + " with " + other);
}

void touch_shared(Warp& warp, uint64_t offset, size_t bytes, Access access) {
  report(warp,
         warp.block().shadow()->touch(warp.index_in_cluster(), offset, bytes, access, warp.instruction()));
}

void touch_global(Warp& warp, const Allocation& a, uint64_t address, size_t bytes, Access access) {
  const Launch& launch = warp.launch();
  const size_t offset = address - a.begin;
  if (launch.options.check && access != Access::kWrite && !a.shadow->is_initialised(offset, bytes))
    warp.fail(Fault::kLaunchFailed, "read of uninitialised memory: " + launch.memory.describe(address));
  auto conflict =
      a.shadow->touch(offset, bytes, access, launch.serial, warp.block().linear_index(), warp.instruction());
  if (!conflict || !launch.options.race) return;
  warp.fail(
      Fault::kLaunchFailed,
      "race between blocks on " + launch.memory.describe(address) + " with the " +
          (conflict->was_write ? "write" : "read") + " by " +
          (conflict->block == 0xfffffffeu ? "several blocks" : "block " + std::to_string(conflict->block)) +
          " at " + launch.kernel.describe(conflict->instruction));
}

uint32_t count_sectors(const LaneAddresses& addresses, size_t bytes, uint32_t mask) {
  uint64_t sectors[2 * kWarpSize];
  size_t n = 0;
  bool sorted = true;
  for (uint32_t m = mask; m; m &= m - 1) {
    uint64_t address = addresses.at[__builtin_ctz(m)];
    uint64_t sector = address / 32;
    if (n > 0 && sectors[n - 1] == sector) continue;
    sorted &= n == 0 || sectors[n - 1] < sector;
    sectors[n++] = sector;
  }
  (void)bytes;  // aligned accesses of at most 16 bytes lie in one sector
  if (!sorted) {
    std::sort(sectors, sectors + n);
    n = static_cast<size_t>(std::unique(sectors, sectors + n) - sectors);
  }
  return static_cast<uint32_t>(n);
}

uint32_t count_waves(const LaneAddresses& addresses, size_t bytes, uint32_t mask) {
  const uint32_t lanes_a_phase = bytes <= 4 ? 32 : static_cast<uint32_t>(128 / bytes);
  const uint32_t words_a_lane = bytes <= 4 ? 1 : static_cast<uint32_t>(bytes / 4);
  uint32_t waves = 0;
  for (uint32_t first = 0; first < kWarpSize; first += lanes_a_phase) {
    uint32_t in_bank[32] = {}, worst = 0;
    uint64_t words[32][kWarpSize];
    for (uint32_t lane = first; lane < first + lanes_a_phase; lane++) {
      if (!(mask >> lane & 1)) continue;
      for (uint32_t w = 0; w < words_a_lane; w++) {
        uint64_t word = addresses.at[lane] / 4 + w;
        uint32_t bank = word % 32;
        uint64_t* seen = words[bank];
        if (std::find(seen, seen + in_bank[bank], word) != seen + in_bank[bank]) continue;
        seen[in_bank[bank]++] = word;
        worst = std::max(worst, in_bank[bank]);
      }
    }
    waves += worst;
  }
  return waves;
}

}  // namespace infcl::emulator
