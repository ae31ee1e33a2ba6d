#include "device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace infcl::emulator {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kOffsetInPage = 256;             // all that cuMemAlloc promises
constexpr size_t kPoisonLimit = size_t{1} << 30;  // larger ones stay sparse: tests of 64-bit indexing

}  // namespace

DeviceMemory::~DeviceMemory() {
  while (!allocations_.empty()) free(allocations_.begin()->first);
}

uint64_t DeviceMemory::allocate(size_t bytes, size_t capacity, bool with_shadow) {
  if (bytes > capacity || bytes_in_use_ > capacity - bytes) return 0;
  size_t inner = (kOffsetInPage + bytes + kPage - 1) / kPage * kPage;
  size_t total = inner + 2 * kPage;
  void* mapping = mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return 0;
  char* first = static_cast<char*>(mapping) + kPage;
  if (mprotect(first, inner, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping, total);
    return 0;
  }
  if (bytes <= kPoisonLimit) std::memset(first, 0xff, inner);
  Allocation a;
  a.begin = reinterpret_cast<uint64_t>(first) + kOffsetInPage;
  a.bytes = bytes;
  a.mapping = mapping;
  a.mapping_bytes = total;
  if (with_shadow) a.shadow = std::make_unique<GlobalShadow>(bytes);
  bytes_in_use_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, bytes_in_use_);
  uint64_t begin = a.begin;
  allocations_.emplace(begin, std::move(a));
  return begin;
}

bool DeviceMemory::free(uint64_t address) {
  auto found = allocations_.find(address);
  if (found == allocations_.end()) return false;
  bytes_in_use_ -= found->second.bytes;
  munmap(found->second.mapping, found->second.mapping_bytes);
  allocations_.erase(found);
  return true;
}

const Allocation* DeviceMemory::find(uint64_t address) const {
  auto next = allocations_.upper_bound(address);
  if (next == allocations_.begin()) return nullptr;
  const Allocation& a = std::prev(next)->second;
  return address < a.end() ? &a : nullptr;
}

std::string DeviceMemory::describe(uint64_t address) const {
  auto next = allocations_.upper_bound(address);
  if (next != allocations_.begin()) {
    const Allocation& a = std::prev(next)->second;
    std::string size = " an allocation of " + std::to_string(a.bytes) + " bytes";
    if (address < a.end()) return "byte " + std::to_string(address - a.begin) + " of" + size;
    if (address - a.end() < (1 << 30))
      return std::to_string(address - a.end()) + " bytes past the end of" + size;
  }
  if (next != allocations_.end() && next->first - address < (1 << 30))
    return std::to_string(next->first - address) + " bytes before an allocation of " +
           std::to_string(next->second.bytes) + " bytes";
  return "address " + std::to_string(address) + ", near no allocation";
}

}  // namespace infcl::emulator
