// Plain data for every room: element types, matrix views, and the words of memory through which a caller
// watches and stops a running call. Knows nothing of threads, devices or JavaScript.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace infcl {

enum class DType { kFloat32, kFloat16, kBFloat16 };

constexpr size_t dtype_size(DType t) { return t == DType::kFloat32 ? 4 : 2; }

// The memory that a matrix lies in: the host's, or that of the device on which the call runs. Another owner
// may use device memory on a stream of its own. The call then waits for earlier work on that stream, and
// later work there waits for the call.
struct Place {
  bool on_device = false;
  bool shared = false;     // another owner uses the memory on `stream`
  void* stream = nullptr;  // the driver's handle; null is a stream too
};

// Row-major features [rows x dim]; `stride` is in elements from one row to the next.
struct MatrixView {
  const void* data = nullptr;
  DType dtype = DType::kFloat32;
  int64_t rows = 0;
  int64_t dim = 0;
  int64_t stride = 0;
  Place place;

  const void* row(int64_t i) const {
    return static_cast<const char*>(data) + static_cast<size_t>(i * stride) * dtype_size(dtype);
  }
};

// How the elements of a gradient lie in memory.
struct GradientLayout {
  int64_t stride = 0;  // elements from one row to the next; 0: dim
  Place place;
};

// Words that the caller's thread and a running call both access. The caller writes kAbort, the call writes
// the other words. JavaScript sees a plain Int32Array, so the code here uses atomic builtins, not
// std::atomic. kDone goes on counting in the backward pass, so one word gives the progress of a whole call.
struct Control {
  enum Word { kAbort = 0, kDone = 1, kTotal = 2, kWords = 3 };
  int32_t* words = nullptr;

  bool aborted() const { return words && __atomic_load_n(words + kAbort, __ATOMIC_RELAXED) != 0; }
  // `total`: steps of one pass over all similarities
  void begin(int64_t total) const {
    if (!words) return;
    store(kDone, 0);
    store(kTotal, static_cast<int32_t>(total < INT32_MAX / 2 ? total : INT32_MAX / 2));
  }
  void advance() const {
    if (words) __atomic_fetch_add(words + kDone, 1, __ATOMIC_RELAXED);
  }

 private:
  void store(Word w, int32_t v) const { __atomic_store_n(words + w, v, __ATOMIC_RELAXED); }
};

}  // namespace infcl
