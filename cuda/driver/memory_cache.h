// Device memory that a backend keeps from one call for the next. The driver is slow to allocate memory, and
// it waits for all work before it frees memory. A call of the same shape finds all its memory here; a call of
// another shape allocates anew. Kept memory counts as free, and an allocation that fails frees it.
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

  // A call announces its total bytes. If the cache keeps another total, it frees its memory.
  void expect(int64_t bytes);
  // An allocation of exactly this size; 0: the cache has none.
  api::DevicePointer take(int64_t bytes);
  // False: the cache does not keep the memory, which still belongs to the caller.
  bool keep(api::DevicePointer, int64_t bytes);
  void release();

  // The bytes that all caches of a device keep.
  static int64_t kept_bytes(int device);
  // Memory of `device`, which must be the current context's device. Kept memory counts as free.
  static MemoryInfo available(int device);
  // Frees the memory of all caches.
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
  bool keeps_ = false;  // whether memory of the current call will be kept
};

}  // namespace infcl::cuda
