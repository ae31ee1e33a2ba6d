// Vectors along rows and columns of a similarity, on the device. Every pass reuses one allocation from its
// start, because the driver needs longer to allocate than a small pass takes.
#pragma once

#include <cstdint>

#include "core/backend.h"
#include "cuda/operands/pinned_staging.h"

namespace infcl::cuda {

// The most bytes that a pass over such a similarity takes, for any objective and options.
int64_t pass_vector_bytes(const SimilarityShape&, bool gradient);
// The most bytes that work on `pairs` single pairs takes.
int64_t pair_vector_bytes(int64_t pairs);

class PassVectors {
 public:
  PassVectors(const Stream& stream, Staging& staging, MemoryCache* cache, int64_t bytes)
      : stream_(stream), staging_(staging), memory_(bytes, cache) {}

  // Begins at the start of the allocation again. Work that is already enqueued may still read the
  // old vectors.
  void reset() { used_ = 0; }

  template <class T>
  T* take(int64_t count) {
    return static_cast<T*>(take_bytes(count * static_cast<int64_t>(sizeof(T))));
  }
  // Copies a vector to the device. Null gives null.
  template <class T>
  const T* upload(const T* host, int64_t count) {
    return host ? writable_copy(host, count) : nullptr;
  }
  template <class T>
  T* writable_copy(const T* host, int64_t count) {
    T* const device = take<T>(count);
    staging_.upload(stream_, device, host, count * static_cast<int64_t>(sizeof(T)));
    return device;
  }

 private:
  void* take_bytes(int64_t bytes);

  const Stream& stream_;
  Staging& staging_;
  DeviceBuffer memory_;
  int64_t used_ = 0;
};

}  // namespace infcl::cuda
