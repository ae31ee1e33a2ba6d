// Device memory that belongs to callers: core/device_storage.h, over the driver.
#include "core/device_storage.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "core/backends.h"
#include "core/errors.h"
#include "cuda/driver/device.h"
#include "cuda/driver/memory.h"
#include "cuda/driver/memory_cache.h"
#include "cuda/operands/pinned_staging.h"

namespace infcl {

namespace cuda {

namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;  // of each of the two pinned pieces

class CudaStorage final : public DeviceStorage {
 public:
  // Allocates the memory.
  CudaStorage(int device, int64_t bytes)
      : DeviceStorage(device, bytes, {true, false, nullptr}, false), context_(device) {
    const DeviceContext::Scope current(context_);
    buffer_ = DeviceBuffer(bytes);
    data_ = buffer_.as<char>();
  }

  // Borrows memory that another library allocated.
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
    transport(m.rows, width, [&](const Stream& stream, Staging& staging) {
      const int64_t step = staging.rows_of_piece(width);
      for (int64_t begin = 0; begin < m.rows; begin += step) {
        const int64_t rows = std::min(step, m.rows - begin);
        staging.upload_piece(stream, data_ + begin * width, rows * width, [&](char* pinned) {
          for (int64_t i = 0; i < rows; ++i)
            std::memcpy(pinned + i * width, m.row(begin + i), static_cast<size_t>(width));
        });
      }
    });
  }

  void download(const MatrixView& m, void* host) override {
    const int64_t size = static_cast<int64_t>(dtype_size(m.dtype)), width = m.dim * size;
    transport(m.rows, width, [&](const Stream& stream, Staging& staging) {
      staging.download(stream, {const_cast<void*>(m.data), m.rows, width, m.stride * size}, host, [] {});
    });
  }

 private:
  // Calls f(stream, staging), and waits for all of its work. The work begins after the work that the memory's
  // owner has put on the owner's stream. Each call allocates pinned memory anew: copies are rare, and pinned
  // memory should not stay allocated between them.
  template <class F>
  void transport(int64_t rows, int64_t width, F f) const {
    if (rows == 0) return;
    const DeviceContext::Scope current(context_);
    const Stream stream;
    Event order;
    if (place().shared) {
      order.record(static_cast<api::Stream>(place().stream));
      order.make_wait(stream.get());
    }
    Staging staging;
    staging.reserve(std::max(width, std::min(kPieceBytes, rows * width)));
    f(stream, staging);
    stream.synchronise();
  }

  // Whether the address belongs to a context other than the primary one. Memory of pools has no context.
  bool is_foreign(api::DevicePointer address) const {
    api::Context owner = nullptr;
    return driver().PointerGetAttribute(&owner, api::kPointerContext, address) == api::kSuccess && owner &&
           owner != context_.get();
  }

  // Throws if a byte is not in this device's memory.
  void require_own(const char* byte) const {
    const auto address = reinterpret_cast<api::DevicePointer>(byte);
    unsigned type = 0;
    int ordinal = -1;
    std::string received = "an address that its driver does not know";
    if (driver().PointerGetAttribute(&type, api::kPointerMemoryType, address) == api::kSuccess &&
        driver().PointerGetAttribute(&ordinal, api::kPointerDeviceOrdinal, address) == api::kSuccess) {
      const bool here = type == api::kMemoryTypeDevice && ordinal == device();
      if (here && !is_foreign(address)) return;
      received = here                             ? "memory of another context than its primary one"
                 : type == api::kMemoryTypeDevice ? "memory of device " + std::to_string(ordinal)
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
