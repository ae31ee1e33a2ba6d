// Owners of the driver's objects: memory, streams, events, modules. Each destructor gives its object back to
// the driver. Each function expects that the object's context is current.
#pragma once

#include <cstdint>
#include <utility>

#include "cuda/driver/driver.h"

namespace infcl::cuda {

class MemoryCache;

// Memory of the device. With a cache, the memory comes from the cache and returns to it. Throws Error
// (kOutOfMemory) that names the wanted bytes and the free bytes.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(int64_t bytes, MemoryCache* = nullptr);  // 0 bytes: none, and a null pointer
  ~DeviceBuffer() { release(); }
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(address_);
  }
  int64_t bytes() const { return bytes_; }

 private:
  void release();
  void swap(DeviceBuffer& other) {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    std::swap(cache_, other.cache_);
  }

  api::DevicePointer address_ = 0;
  int64_t bytes_ = 0;
  MemoryCache* cache_ = nullptr;
};

// Pinned host memory. The device copies from and to it directly.
class PinnedBuffer {
 public:
  explicit PinnedBuffer(int64_t bytes);
  ~PinnedBuffer() { driver().MemFreeHost(data_); }
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  char* data() const { return static_cast<char*>(data_); }
  int64_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  int64_t bytes_;
};

// Rows in memory of the device or of the host. `pitch`: bytes from one row to the next.
struct RowBytes {
  bool on_device;
  const void* data;
  int64_t pitch;
};

class Stream {
 public:
  Stream() { check(driver().StreamCreate(&stream_, api::kStreamNonBlocking), "cuStreamCreate"); }
  ~Stream() { driver().StreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  api::Stream get() const { return stream_; }
  void synchronise() const { check(driver().StreamSynchronize(stream_), "device work"); }
  // Waits without an exception, for destructors. The next call of the driver reports an error.
  void drain() const noexcept { driver().StreamSynchronize(stream_); }

  void clear(void* device, int64_t bytes) const;
  void to_device(void* device, const void* pinned, int64_t bytes) const;
  void to_host(void* pinned, const void* device, int64_t bytes) const;
  // The host's memory may be pageable. The driver then copies it before this function returns.
  void copy_rows(const RowBytes& to, const RowBytes& from, int64_t rows, int64_t width) const;

 private:
  api::Stream stream_ = nullptr;
};

class Event {
 public:
  Event() { check(driver().EventCreate(&event_, api::kEventDisableTiming), "cuEventCreate"); }
  ~Event() { driver().EventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream) { record(stream.get()); }
  void record(api::Stream stream) { check(driver().EventRecord(event_, stream), "cuEventRecord"); }
  // Makes later work on `stream` wait for the recorded work.
  void make_wait(api::Stream stream) const {
    check(driver().StreamWaitEvent(stream, event_, 0), "cuStreamWaitEvent");
  }
  // Waits until the recorded work is done. Returns at once if nothing was recorded.
  void synchronise() const { check(driver().EventSynchronize(event_), "device work"); }

 private:
  api::Event event_ = nullptr;
};

class Module {
 public:
  // Does not throw, because another image may load instead. `error`: the driver's answer.
  Module(const void* image, api::Result& error) { error = driver().ModuleLoadData(&module_, image); }
  ~Module() {
    if (module_) driver().ModuleUnload(module_);
  }
  Module(Module&& other) noexcept { std::swap(module_, other.module_); }
  Module& operator=(Module&&) = delete;

  api::Function find(const char* name) const;  // null: the module has no such kernel

 private:
  api::Module module_ = nullptr;
};

}  // namespace infcl::cuda
