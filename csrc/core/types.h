// Plain data that every room shares: element types, matrix views, the words through which a caller watches
// and stops a running call. Knows nothing of threads, devices or JavaScript.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace infcl {

enum class DType { kFloat32, kFloat16, kBFloat16 };

constexpr size_t dtype_size(DType t) { return t == DType::kFloat32 ? 4 : 2; }

// Whose memory something lies in: the host's, or the device's that the call runs on. There, somebody else may
// be at work with it on a stream, whose handle is the driver's (null is one too): what they enqueued comes
// first, and what they enqueue later comes after the call.
struct Place {
  bool on_device = false;
  bool shared = false;  // with the work on `stream`
  void* stream = nullptr;
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

// How a gradient lies where it goes to.
struct GradientLayout {
  int64_t stride = 0;  // elements from one row to the next; 0: dim
  Place place;
};

// Shared with the caller's thread while a call runs: it writes `abort`, we write the rest. A plain int32
// array on the other side of the seam, so the words are accessed through atomic builtins rather than declared
// atomic. `done` counts on from the forward into the backward pass, so that one word says where a call is.
struct Control {
  enum Word { kAbort = 0, kDone = 1, kTotal = 2, kWords = 3 };
  int32_t* words = nullptr;

  bool aborted() const { return words && __atomic_load_n(words + kAbort, __ATOMIC_RELAXED) != 0; }
  // `total`: steps of one pass, over all of its similarities
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
