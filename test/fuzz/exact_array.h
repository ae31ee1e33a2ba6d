// Arrays of exactly the size that a caller must bring: one element read or written too far is the
// sanitizer's. And features in such arrays, in each element type.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "core/types.h"

namespace fuzz {

// As typed arrays come: at any address that is a multiple of the element size, ending where the heap block
// ends.
template <class T>
class ExactArray {
 public:
  ExactArray() = default;
  ExactArray(int64_t size, int64_t skip)
      : block_(new T[static_cast<size_t>(size + skip)]), data_(block_.get() + skip) {
    std::memset(static_cast<void*>(block_.get()), 0x7f, static_cast<size_t>(size + skip) * sizeof(T));
    size_ = size;
  }
  T* data() const { return data_; }  // null when never made
  int64_t size() const { return size_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  std::unique_ptr<T[]> block_;
  T* data_ = nullptr;
  int64_t size_ = 0;
};

// Towards zero; what is too small becomes zero, what is too large infinite.
inline uint16_t to_half(float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof v);
  const uint32_t sign = word >> 16 & 0x8000, mantissa = word >> 13 & 0x3ff;
  const int exponent = static_cast<int>(word >> 23 & 0xff) - 112;
  if (exponent <= 0) return static_cast<uint16_t>(sign);
  if (exponent >= 31) return static_cast<uint16_t>(sign | 0x7c00);
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(exponent) << 10 | mantissa);
}
inline uint16_t to_bfloat(float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof v);
  return static_cast<uint16_t>(word >> 16);
}

struct Features {
  ExactArray<float> wide;
  ExactArray<uint16_t> narrow;
  infcl::MatrixView view;
};

}  // namespace fuzz
