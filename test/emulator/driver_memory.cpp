// Driver API: memory and copies. Everything happens at once; streams only carry order.
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

CUresult copy_to_device(CUdeviceptr to, const void* from, size_t bytes) {
  return with_context([&](CUctx_st& context) {
    void* d = device_bytes(context, to, bytes, "copy to the device", true);
    if (!d) return CUDA_ERROR_INVALID_VALUE;
    if (bytes) std::memcpy(d, from, bytes);
    return CUDA_SUCCESS;
  });
}

CUresult copy_to_host(void* to, CUdeviceptr from, size_t bytes) {
  return with_context([&](CUctx_st& context) {
    const void* s = device_bytes(context, from, bytes, "copy to the host", false);
    if (!s) return CUDA_ERROR_INVALID_VALUE;
    if (bytes) std::memcpy(to, s, bytes);
    return CUDA_SUCCESS;
  });
}

CUresult copy_on_device(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return with_context([&](CUctx_st& context) {
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

CUresult copy_2d(const CUDA_MEMCPY2D* c) {
  return with_context([&](CUctx_st& context) {
    const Plane from{c->srcMemoryType, const_cast<void*>(c->srcHost),
                     c->srcDevice,     c->srcXInBytes,
                     c->srcY,          c->srcPitch ? c->srcPitch : c->srcXInBytes + c->WidthInBytes};
    const Plane to{c->dstMemoryType, c->dstHost,
                   c->dstDevice,     c->dstXInBytes,
                   c->dstY,          c->dstPitch ? c->dstPitch : c->dstXInBytes + c->WidthInBytes};
    for (const Plane& p : {from, to}) {
      if (p.type != CU_MEMORYTYPE_HOST && p.type != CU_MEMORYTYPE_DEVICE)
        return failed(CUDA_ERROR_NOT_SUPPORTED, "2D copy of a memory type that is not emulated");
      if (p.pitch < p.x + c->WidthInBytes)
        return failed(CUDA_ERROR_INVALID_VALUE, "2D copy wider than its pitch");
    }
    for (size_t i = 0; i < c->Height && c->WidthInBytes > 0; i++) {
      char* d = to.row(context, i, c->WidthInBytes, true);
      const char* s = from.row(context, i, c->WidthInBytes, false);
      if (!d || !s) return CUDA_ERROR_INVALID_VALUE;
      std::memcpy(d, s, c->WidthInBytes);
    }
    return CUDA_SUCCESS;
  });
}

template <class T>
CUresult fill(CUdeviceptr to, T value, size_t count) {
  return with_context([&](CUctx_st& context) {
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
  state().pinned_bytes.erase(static_cast<char*>(pointer));
  if (state().pinned.erase(static_cast<char*>(pointer)) == 0)
    return failed(CUDA_ERROR_INVALID_VALUE, "free of host memory that was not allocated");
  return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t n) { return copy_to_device(to, from, n); }
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t n, CUstream) {
  return copy_to_device(to, from, n);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t n) { return copy_to_host(to, from, n); }
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t n, CUstream) {
  return copy_to_host(to, from, n);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t n) { return copy_on_device(to, from, n); }
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream) {
  return copy_on_device(to, from, n);
}
CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* copy) { return copy_2d(copy); }
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* copy, CUstream) { return copy_2d(copy); }
CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t n) { return fill(to, value, n); }
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, CUstream) {
  return fill(to, value, n);
}
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t n) { return fill(to, value, n); }
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, CUstream) { return fill(to, value, n); }

CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr address) {
  return with_context([&](CUctx_st&) {
    for (const auto& device : state().devices) {
      const Allocation* a = device->memory.find(address);
      if (!a) continue;
      if (attribute == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
        *static_cast<unsigned*>(data) = CU_MEMORYTYPE_DEVICE;
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
