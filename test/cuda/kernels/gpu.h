// As much of the CUDA driver API as these tests need, from whichever library INFCL_CUDA_LIBRARY names: a real
// driver, or the emulator. Any failure throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "launch_shapes.h"

namespace gpu {

using Pointer = unsigned long long;

// False when there is no such library, and a real driver was not insisted upon.
bool available();
Pointer allocate(size_t bytes);
void release(Pointer);
void write(Pointer to, const void* from, size_t bytes);
void read(void* to, Pointer from, size_t bytes);
// Whether the library counts what kernels do, and one of its counts of the latest launch.
bool counts();
uint64_t last_launch(const std::string& what);
// A function of the library, and what it returned: anything but 0 throws.
void* find(const char* symbol);
void check(const char* symbol, int result);
void launch_raw(const std::string& kernel, const infcl::cuda::LaunchShape&,
                std::vector<const void*> arguments);

template <class Args>
void launch(const std::string& kernel, const infcl::cuda::LaunchShape& shape, const Args& args) {
  if (!shape.empty()) launch_raw(kernel, shape, {&args});
}
// Products, by the kernels of sm_80 or of sm_90: gpu.cpp goes by INFCL_CUDA_PATH.
bool on_sm90();
void launch(const std::string& kernel, const infcl::cuda::LaunchShape&, const infcl::cuda::ForwardArgs&);
void launch(const std::string& kernel, const infcl::cuda::LaunchShape&, const infcl::cuda::BackwardArgs&);
void launch(const std::string& kernel, const infcl::cuda::LaunchShape&, const infcl::cuda::AccumulateArgs&);

// A device array of exactly as many elements. An empty one is null.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(const std::vector<T>& values) : size_(values.size()) {
    if (size_ == 0) return;
    at_ = allocate(size_ * sizeof(T));
    write(at_, values.data(), size_ * sizeof(T));
  }
  Array(size_t size, const T& value) : Array(std::vector<T>(size, value)) {}
  Array(Array&& other) noexcept : at_(other.at_), size_(other.size_) { other.at_ = 0; }
  Array& operator=(Array&&) = delete;
  ~Array() {
    if (at_) release(at_);
  }

  T* get() const { return reinterpret_cast<T*>(static_cast<uintptr_t>(at_)); }
  std::vector<T> read() const {
    std::vector<T> values(size_);
    if (size_ > 0) gpu::read(values.data(), at_, size_ * sizeof(T));
    return values;
  }

 private:
  Pointer at_ = 0;
  size_t size_ = 0;
};

// Bits that every kernel must overwrite where it promises a result.
template <class T>
T poison() {
  T value;
  std::memset(&value, 0xff, sizeof value);  // NaN
  return value;
}

}  // namespace gpu
