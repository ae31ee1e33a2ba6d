// Device memory kept between calls, and the registry of all caches in the process.
#include "cuda/driver/memory_cache.h"

#include <algorithm>

namespace infcl::cuda {

namespace {

// A larger call runs so long that the driver's time does not matter, and other programs may need the memory.
constexpr int64_t kMostKept = int64_t{1} << 30;

struct Registry {
  std::mutex mutex;
  std::vector<MemoryCache*> caches;
};

Registry& registry() {
  static Registry* r = new Registry;  // never destroyed: some backends end with the process
  return *r;
}

}  // namespace

MemoryCache::MemoryCache(int device, const DeviceContext& context) : device_(device), context_(context) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  registry().caches.push_back(this);
}

MemoryCache::~MemoryCache() {
  {
    const std::lock_guard<std::mutex> lock(registry().mutex);
    auto& caches = registry().caches;
    caches.erase(std::find(caches.begin(), caches.end(), this));
  }
  release();
}

void MemoryCache::expect(int64_t call_bytes) {
  if (bytes() != call_bytes) release();
  const std::lock_guard<std::mutex> lock(mutex_);
  keeps_ = call_bytes <= kMostKept;
}

api::DevicePointer MemoryCache::take(int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = std::find_if(allocations_.begin(), allocations_.end(),
                                  [&](const Allocation& a) { return a.bytes == bytes; });
  if (found == allocations_.end()) return 0;
  const api::DevicePointer address = found->address;
  allocations_.erase(found);
  return address;
}

bool MemoryCache::keep(api::DevicePointer address, int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (keeps_) allocations_.push_back({address, bytes});
  return keeps_;
}

void MemoryCache::release() {
  const DeviceContext::Scope current(context_);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Allocation& a : allocations_) driver().MemFree(a.address);
  allocations_.clear();
}

int64_t MemoryCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  int64_t sum = 0;
  for (const Allocation& a : allocations_) sum += a.bytes;
  return sum;
}

int64_t MemoryCache::kept_bytes(int device) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  int64_t sum = 0;
  for (const MemoryCache* cache : registry().caches)
    if (cache->device_ == device) sum += cache->bytes();
  return sum;
}

MemoryInfo MemoryCache::available(int device) {
  const MemoryInfo memory = memory_info();
  return {memory.free + kept_bytes(device), memory.total};
}

void MemoryCache::release_all() {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  for (MemoryCache* cache : registry().caches) cache->release();
}

}  // namespace infcl::cuda
