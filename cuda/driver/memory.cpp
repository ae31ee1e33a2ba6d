// Memory, copies and modules over the driver, with an error for each failed call.
#include "cuda/driver/memory.h"

#include <string>

#include "core/errors.h"
#include "cuda/driver/device.h"
#include "cuda/driver/memory_cache.h"

namespace infcl::cuda {

namespace {

api::DevicePointer address(const void* device) { return reinterpret_cast<api::DevicePointer>(device); }

}  // namespace

DeviceBuffer::DeviceBuffer(int64_t bytes, MemoryCache* cache) {
  if (bytes == 0) return;
  cache_ = cache;
  bytes_ = bytes;
  if (cache) address_ = cache->take(bytes);
  if (address_) return;
  api::Result result = driver().MemAlloc(&address_, static_cast<size_t>(bytes));
  if (result == api::kOutOfMemory) {
    MemoryCache::release_all();
    result = driver().MemAlloc(&address_, static_cast<size_t>(bytes));
  }
  if (result == api::kOutOfMemory) {
    const MemoryInfo memory = memory_info();
    throw Error(ErrorCode::kOutOfMemory, "cuda",
                "the device cannot give " + std::to_string(bytes) + " bytes: " + std::to_string(memory.free) +
                    " of its " + std::to_string(memory.total) + " are free");
  }
  check(result, "cuMemAlloc");
}

void DeviceBuffer::release() {
  if (address_ && !(cache_ && cache_->keep(address_, bytes_))) driver().MemFree(address_);
  address_ = 0;
  bytes_ = 0;
}

PinnedBuffer::PinnedBuffer(int64_t bytes) : bytes_(bytes) {
  check(driver().MemHostAlloc(&data_, static_cast<size_t>(bytes), 0), "cuMemHostAlloc");
}

void Stream::clear(void* device, int64_t bytes) const {
  if (bytes > 0)
    check(driver().MemsetD8Async(address(device), 0, static_cast<size_t>(bytes), stream_), "cuMemsetD8Async");
}

void Stream::to_device(void* device, const void* pinned, int64_t bytes) const {
  check(driver().MemcpyHtoDAsync(address(device), pinned, static_cast<size_t>(bytes), stream_),
        "copy to the device");
}

void Stream::to_host(void* pinned, const void* device, int64_t bytes) const {
  check(driver().MemcpyDtoHAsync(pinned, address(device), static_cast<size_t>(bytes), stream_),
        "copy from the device");
}

void Stream::copy_rows(const RowBytes& to, const RowBytes& from, int64_t rows, int64_t width) const {
  api::Copy2D copy{};
  copy.source_pitch = static_cast<size_t>(from.pitch);
  copy.target_pitch = static_cast<size_t>(to.pitch);
  copy.source_type = from.on_device ? api::kMemoryTypeDevice : api::kMemoryTypeHost;
  copy.target_type = to.on_device ? api::kMemoryTypeDevice : api::kMemoryTypeHost;
  if (from.on_device)
    copy.source_device = address(from.data);
  else
    copy.source_host = from.data;
  if (to.on_device)
    copy.target_device = address(to.data);
  else
    copy.target_host = const_cast<void*>(to.data);
  copy.width_bytes = static_cast<size_t>(width);
  copy.height = static_cast<size_t>(rows);
  check(driver().Memcpy2DAsync(&copy, stream_), "copy of rows");
}

api::Function Module::find(const char* name) const {
  api::Function function = nullptr;
  const api::Result result = driver().ModuleGetFunction(&function, module_, name);
  if (result == api::kNotFound) return nullptr;
  check(result, name);
  return function;
}

}  // namespace infcl::cuda
