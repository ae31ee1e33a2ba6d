// Driver API: memory and copies. Work of a stream is done when the stream does its work (stream_work.h).
#include <cstring>

#include "driver_state.h"

using namespace infcl::emulator;

namespace {

bool wants_shadow() { return emulated_options().race || emulated_options().check; }

// The host address of device bytes, or null with the error remembered.
void* device_bytes(CUctx_st& context, CUdeviceptr address, size_t bytes, const char* what, bool written) {
  if (bytes == 0) return reinterpret_cast<void*>(address);
  const Allocation* a = context.memory.find(address);
  if (!a || !a->contains(address, bytes)) {
    failed(CUDA_ERROR_INVALID_VALUE, std::string(what) + ": " + std::to_string(bytes) + " bytes at " +
                                         context.memory.describe(address));
    return nullptr;
  }
  if (written && a->shadow) a->shadow->mark_initialised(address - a->begin, bytes);
  return reinterpret_cast<void*>(address);
}

// Copies from or to memory that is not pinned are done before the call returns, as far as the host can see.
bool is_pinned(const void* host) {
  const auto* p = static_cast<const char*>(host);
  const auto& pinned = state().pinned_bytes;
  auto after = pinned.upper_bound(const_cast<char*>(p));
  if (after == pinned.begin()) return false;
  const auto& [begin, bytes] = *--after;
  return p < begin + bytes;
}

template <class F>
CUresult give_copy(CUstream stream, const char* what, size_t bytes, bool host_waits, F run) {
  return with_context([&](CUctx_st& context) {
    if (stream && !state().streams.count(stream)) return failed(CUDA_ERROR_INVALID_HANDLE, "no such stream");
    log_work(what, std::to_string(bytes), stream);
    const CUresult given = give_work(context, stream, run);
    if (given != CUDA_SUCCESS || !host_waits) return given;
    state().work.finish(stream);
    return context.sticky;
  });
}

CUresult copy_to_device(CUdeviceptr to, const void* from, size_t bytes, CUstream stream, bool host_waits) {
  return give_copy(stream, "copy in", bytes, host_waits || !is_pinned(from), [=](CUctx_st& context) {
    void* d = device_bytes(context, to, bytes, "copy to the device", true);
    if (!d) return CUDA_ERROR_INVALID_VALUE;
    if (bytes) std::memcpy(d, from, bytes);
    return CUDA_SUCCESS;
  });
}

CUresult copy_to_host(void* to, CUdeviceptr from, size_t bytes, CUstream stream, bool host_waits) {
  return give_copy(stream, "copy out", bytes, host_waits || !is_pinned(to), [=](CUctx_st& context) {
    const void* s = device_bytes(context, from, bytes, "copy to the host", false);
    if (!s) return CUDA_ERROR_INVALID_VALUE;
    if (bytes) std::memcpy(to, s, bytes);
    return CUDA_SUCCESS;
  });
}

CUresult copy_on_device(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream, bool host_waits) {
  return give_copy(stream, "copy within", bytes, host_waits, [=](CUctx_st& context) {
    void* d = device_bytes(context, to, bytes, "copy on the device", true);
    const void* s = device_bytes(context, from, bytes, "copy on the device", false);
    if (!d || !s) return CUDA_ERROR_INVALID_VALUE;
    if (bytes) std::memmove(d, s, bytes);
    return CUDA_SUCCESS;
  });
}

// One side of a 2D copy, row by row.
struct Plane {
  CUmemorytype type;
  void* host;
  CUdeviceptr device;
  size_t x, y, pitch;

  char* row(CUctx_st& context, size_t i, size_t width, bool written) const {
    const size_t offset = (y + i) * pitch + x;
    if (type == CU_MEMORYTYPE_HOST) return static_cast<char*>(host) + offset;
    return static_cast<char*>(device_bytes(context, device + offset, width, "2D copy", written));
  }
};

CUresult do_copy_2d(CUctx_st& context, const Plane& from, const Plane& to, size_t width, size_t height) {
  for (size_t i = 0; i < height && width > 0; i++) {
    char* d = to.row(context, i, width, true);
    const char* s = from.row(context, i, width, false);
    if (!d || !s) return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(d, s, width);
  }
  return CUDA_SUCCESS;
}

CUresult copy_2d(const CUDA_MEMCPY2D* c, CUstream stream, bool host_waits) {
  const Plane from{c->srcMemoryType, const_cast<void*>(c->srcHost),
                   c->srcDevice,     c->srcXInBytes,
                   c->srcY,          c->srcPitch ? c->srcPitch : c->srcXInBytes + c->WidthInBytes};
  const Plane to{c->dstMemoryType, c->dstHost, c->dstDevice,
                 c->dstXInBytes,   c->dstY,    c->dstPitch ? c->dstPitch : c->dstXInBytes + c->WidthInBytes};
  bool waits = host_waits;
  for (const Plane& p : {from, to}) {
    if (p.type != CU_MEMORYTYPE_HOST && p.type != CU_MEMORYTYPE_DEVICE)
      return failed(CUDA_ERROR_NOT_SUPPORTED, "2D copy of a memory type that is not emulated");
    if (p.pitch < p.x + c->WidthInBytes)
      return failed(CUDA_ERROR_INVALID_VALUE, "2D copy wider than its pitch");
    if (p.type == CU_MEMORYTYPE_HOST && !is_pinned(p.host)) waits = true;
  }
  const char* what = from.type == CU_MEMORYTYPE_HOST ? "copy in"
                     : to.type == CU_MEMORYTYPE_HOST ? "copy out"
                                                     : "copy within";
  const size_t width = c->WidthInBytes, height = c->Height;
  return give_copy(stream, what, width * height, waits,
                   [=](CUctx_st& context) { return do_copy_2d(context, from, to, width, height); });
}

template <class T>
CUresult fill(CUdeviceptr to, T value, size_t count, CUstream stream, bool host_waits) {
  return give_copy(stream, "clear", count * sizeof(T), host_waits, [=](CUctx_st& context) {
    if (to % sizeof(T)) return failed(CUDA_ERROR_INVALID_VALUE, "memset of a misaligned address");
    auto* d = static_cast<char*>(device_bytes(context, to, count * sizeof(T), "memset", true));
    if (!d) return CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; i < count; i++) std::memcpy(d + i * sizeof(T), &value, sizeof(T));
    return CUDA_SUCCESS;
  });
}

CUresult pinned_attribute(void* data, CUpointer_attribute attribute, CUdeviceptr address) {
  DriverState& s = state();
  auto* p = reinterpret_cast<char*>(address);
  for (const auto& [begin, bytes] : s.pinned_bytes) {
    if (p < begin || p >= begin + bytes) continue;
    if (attribute == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
      *static_cast<unsigned*>(data) = CU_MEMORYTYPE_HOST;
    else if (attribute == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
      *static_cast<int*>(data) = 0;
    else
      return failed(CUDA_ERROR_NOT_SUPPORTED, "pointer attribute is not emulated");
    return CUDA_SUCCESS;
  }
  return failed(CUDA_ERROR_INVALID_VALUE, "a pointer that the driver does not know");
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  return with_context([&](CUctx_st& context) {
    if (bytes == 0) return failed(CUDA_ERROR_INVALID_VALUE, "allocation of 0 bytes");
    *address = context.memory.allocate(bytes, emulated_memory_bytes(), wants_shadow());
    if (*address) return CUDA_SUCCESS;
    return failed(CUDA_ERROR_OUT_OF_MEMORY, "out of memory: " + std::to_string(bytes) + " bytes asked for, " +
                                                std::to_string(context.memory.bytes_in_use()) + " of " +
                                                std::to_string(emulated_memory_bytes()) + " in use");
  });
}

// After a fault memory is still given back, as the end of the process would, but the error is returned.
CUresult cuMemFree_v2(CUdeviceptr address) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  if (address == 0) return CUDA_SUCCESS;
  state().work.finish_all();  // as a device does
  for (auto& device : state().devices)
    if (device->memory.free(address)) return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
  return failed(CUDA_ERROR_INVALID_VALUE, "free of " + std::to_string(address) + ", which is no allocation");
}

CUresult cuMemGetInfo_v2(size_t* available, size_t* total) {
  return with_context([&](CUctx_st& context) {
    *total = emulated_memory_bytes();
    *available = *total - std::min(*total, context.memory.bytes_in_use());
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  return with_context([&](CUctx_st&) {
    if (bytes == 0) return failed(CUDA_ERROR_INVALID_VALUE, "allocation of 0 bytes");
    std::unique_ptr<char[]> memory(new char[bytes]);
    std::memset(memory.get(), 0xff, bytes);
    *pointer = memory.get();
    state().pinned_bytes[memory.get()] = bytes;
    char* key = memory.get();
    state().pinned[key] = std::move(memory);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemFreeHost(void* pointer) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().work.finish_all();
  state().pinned_bytes.erase(static_cast<char*>(pointer));
  if (state().pinned.erase(static_cast<char*>(pointer)) == 0)
    return failed(CUDA_ERROR_INVALID_VALUE, "free of host memory that was not allocated");
  return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t n) {
  return copy_to_device(to, from, n, nullptr, true);
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t n, CUstream stream) {
  return copy_to_device(to, from, n, stream, false);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t n) {
  return copy_to_host(to, from, n, nullptr, true);
}
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t n, CUstream stream) {
  return copy_to_host(to, from, n, stream, false);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t n) {
  return copy_on_device(to, from, n, nullptr, true);
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream stream) {
  return copy_on_device(to, from, n, stream, false);
}
CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* copy) { return copy_2d(copy, nullptr, true); }
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* copy, CUstream stream) {
  return copy_2d(copy, stream, false);
}
CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t n) {
  return fill(to, value, n, nullptr, true);
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, CUstream stream) {
  return fill(to, value, n, stream, false);
}
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t n) {
  return fill(to, value, n, nullptr, true);
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, CUstream stream) {
  return fill(to, value, n, stream, false);
}

static CUcontext another_context() {
  static CUctx_st context;
  return &context;
}

CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr address) {
  return with_context([&](CUctx_st&) {
    for (const auto& device : state().devices) {
      const Allocation* a = device->memory.find(address);
      if (!a) continue;
      if (attribute == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
        *static_cast<unsigned*>(data) = CU_MEMORYTYPE_DEVICE;
      else if (attribute == CU_POINTER_ATTRIBUTE_CONTEXT)
        *static_cast<CUcontext*>(data) = state().foreign.count(a->begin) ? another_context() : device.get();
      else if (attribute == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
        *static_cast<int*>(data) = device->ordinal;
      else if (attribute == CU_POINTER_ATTRIBUTE_RANGE_START_ADDR)
        *static_cast<CUdeviceptr*>(data) = a->begin;
      else if (attribute == CU_POINTER_ATTRIBUTE_RANGE_SIZE)
        *static_cast<size_t*>(data) = a->bytes;
      else
        return failed(CUDA_ERROR_NOT_SUPPORTED, "pointer attribute is not emulated");
      return CUDA_SUCCESS;
    }
    return pinned_attribute(data, attribute, address);
  });
}

}  // extern "C"
#pragma GCC visibility pop
