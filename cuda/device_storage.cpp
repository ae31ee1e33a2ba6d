// Memory of a device that callers hold: core/device_storage.h, over the driver.
#include "core/device_storage.h"

#include <cstdio>

#include "core/backend_factory.h"
#include "core/errors.h"
#include "cuda/device.h"
#include "cuda/device_memory.h"
#include "cuda/memory_cache.h"

namespace infcl {

namespace cuda {

namespace {

class CudaStorage final : public DeviceStorage {
 public:
  // Of our own.
  CudaStorage(int device, int64_t bytes)
      : DeviceStorage(device, bytes, {true, false, nullptr}, false), context_(device) {
    const DeviceContext::Scope current(context_);
    buffer_ = DeviceBuffer(bytes);
    data_ = buffer_.as<char>();
  }

  // Of somebody else.
  CudaStorage(int device, void* address, int64_t bytes, const Place& place)
      : DeviceStorage(device, bytes, place, true), context_(device) {
    const DeviceContext::Scope current(context_);
    data_ = static_cast<char*>(address);
    require_own(data_);
    require_own(data_ + bytes - 1);
  }

  ~CudaStorage() override {
    const DeviceContext::Scope current(context_);
    buffer_ = DeviceBuffer();
  }

  void upload(const MatrixView& m) override {
    const int64_t size = static_cast<int64_t>(dtype_size(m.dtype)), width = m.dim * size;
    copy({true, data_, width}, {false, m.data, m.stride * size}, m.rows, width);
  }

  void download(const MatrixView& m, void* host) override {
    const int64_t size = static_cast<int64_t>(dtype_size(m.dtype)), width = m.dim * size;
    copy({false, host, width}, {true, m.data, m.stride * size}, m.rows, width);
  }

 private:
  void copy(const RowBytes& to, const RowBytes& from, int64_t rows, int64_t width) const {
    const DeviceContext::Scope current(context_);
    const Stream stream;
    Event order;
    if (place().shared) {
      order.record(static_cast<api::Stream>(place().stream));
      order.hold(stream.get());
    }
    stream.copy_rows(to, from, rows, width);
    stream.synchronise();
  }

  // Throws when a byte is not this device's.
  void require_own(const char* byte) const {
    const auto address = reinterpret_cast<api::DevicePointer>(byte);
    unsigned type = 0;
    int ordinal = -1;
    std::string received = "an address that its driver does not know";
    if (driver().PointerGetAttribute(&type, api::kPointerMemoryType, address) == api::kSuccess &&
        driver().PointerGetAttribute(&ordinal, api::kPointerDeviceOrdinal, address) == api::kSuccess) {
      if (type == api::kMemoryTypeDevice && ordinal == device()) return;
      received = type == api::kMemoryTypeDevice ? "memory of device " + std::to_string(ordinal)
                                                : "memory of the host";
    }
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", address);
    throw Error(ErrorCode::kDevice, "cuda",
                "Expected memory of device " + std::to_string(device()) + " at " + text + " but received " +
                    received);
  }

  const DeviceContext context_;
  DeviceBuffer buffer_;
};

}  // namespace

}  // namespace cuda

std::unique_ptr<DeviceStorage> allocate_device_storage(int device, int64_t bytes) {
  return std::make_unique<cuda::CudaStorage>(device, bytes);
}

std::unique_ptr<DeviceStorage> borrow_device_storage(int device, void* address, int64_t bytes,
                                                     const Place& place) {
  return std::make_unique<cuda::CudaStorage>(device, address, bytes, place);
}

DeviceMemoryInfo device_memory_info(int device) {
  const cuda::DeviceContext context(device);
  const cuda::DeviceContext::Scope current(context);
  const cuda::MemoryInfo memory = cuda::memory_info();
  const int64_t kept = cuda::MemoryCache::kept_bytes(device);
  return {memory.free + kept, memory.total, kept};
}

}  // namespace infcl
