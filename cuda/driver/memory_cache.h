// Device memory that a backend keeps from one call for the next, since the driver takes its time to give it,
// and waits for all work before it takes it back. Calls of one shape find all they need; another shape begins
// anew. What is kept is nobody's: it counts as free, and whoever runs out of memory takes it.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "cuda/driver/device.h"

namespace infcl::cuda {

class MemoryCache {
 public:
  MemoryCache(int device, const DeviceContext&);
  ~MemoryCache();
  MemoryCache(const MemoryCache&) = delete;
  MemoryCache& operator=(const MemoryCache&) = delete;

  // Before a call that will take as much in all: gives up what is kept of a call of another size.
  void expect(int64_t bytes);
  // A block of exactly this size; 0: none is kept.
  api::DevicePointer take(int64_t bytes);
  // False: it is not kept, and still the caller's.
  bool keep(api::DevicePointer, int64_t bytes);
  void release();

  // Of all caches on a device, and of all caches.
  static int64_t kept_bytes(int device);
  // Of the current context's device, which this is: what is kept counts as free.
  static MemoryInfo available(int device);
  static void release_all();

 private:
  struct Allocation {
    api::DevicePointer address;
    int64_t bytes;
  };
  int64_t bytes() const;

  const int device_;
  const DeviceContext& context_;
  mutable std::mutex mutex_;
  std::vector<Allocation> allocations_;
  bool keeps_ = false;  // what the call in progress took
};

}  // namespace infcl::cuda
