// The part of the CUDA driver API that this backend calls. The declarations are here so that a build needs
// neither headers nor libraries of a toolkit. Names are the driver's names without the prefix "cu". Layouts
// and numbers are the driver's ABI.
#pragma once

#include <cstddef>
#include <cstdint>

namespace infcl::cuda::api {

using Result = int;  // CUresult
constexpr Result kSuccess = 0, kOutOfMemory = 2, kNoDevice = 100, kNotFound = 500;

using Device = int;
using DevicePointer = unsigned long long;  // CUdeviceptr, of a 64-bit process
using Context = struct ContextHandle*;
using Module = struct ModuleHandle*;
using Function = struct FunctionHandle*;
using Stream = struct StreamHandle*;
using Event = struct EventHandle*;

// CUdevice_attribute
constexpr int kMultiprocessorCount = 16, kL2CacheSize = 38, kCapabilityMajor = 75, kCapabilityMinor = 76;
// CUfunction_attribute
constexpr int kMaxDynamicSharedBytes = 8;
constexpr unsigned kStreamNonBlocking = 1, kEventDisableTiming = 2;
constexpr unsigned kMemoryTypeHost = 1, kMemoryTypeDevice = 2;
// CUpointer_attribute
constexpr int kPointerContext = 1, kPointerMemoryType = 2, kPointerDeviceOrdinal = 9;

// CUDA_MEMCPY2D
struct Copy2D {
  size_t source_x, source_y;
  unsigned source_type;
  const void* source_host;
  DevicePointer source_device;
  void* source_array;
  size_t source_pitch;
  size_t target_x, target_y;
  unsigned target_type;
  void* target_host;
  DevicePointer target_device;
  void* target_array;
  size_t target_pitch;
  size_t width_bytes, height;
};
static_assert(sizeof(Copy2D) == 128, "CUDA_MEMCPY2D of a 64-bit process");

// cuTensorMapEncodeTiled, and the enumeration values that this backend uses.
using EncodeTensorMap = Result (*)(void* map, int type, uint32_t rank, void* base, const uint64_t* sizes,
                                   const uint64_t* strides, const uint32_t* box,
                                   const uint32_t* element_strides, int interleave, int swizzle,
                                   int promotion, int fill);
constexpr int kTensorUint16 = 1, kTensorNotInterleaved = 0, kTensorSwizzle128 = 3, kTensorPromote256 = 3,
              kTensorFillZeros = 0;

struct Functions {
  Result (*Init)(unsigned flags);
  Result (*GetErrorName)(Result, const char**);
  Result (*GetErrorString)(Result, const char**);
  Result (*DeviceGetCount)(int*);
  Result (*DeviceGet)(Device*, int ordinal);
  Result (*DeviceGetName)(char*, int length, Device);
  Result (*DeviceGetAttribute)(int*, int attribute, Device);
  Result (*DevicePrimaryCtxRetain)(Context*, Device);
  Result (*DevicePrimaryCtxRelease)(Device);
  Result (*CtxPushCurrent)(Context);
  Result (*CtxPopCurrent)(Context*);
  Result (*ModuleLoadData)(Module*, const void* image);
  Result (*ModuleUnload)(Module);
  Result (*ModuleGetFunction)(Function*, Module, const char* name);
  Result (*FuncSetAttribute)(Function, int attribute, int value);
  Result (*LaunchKernel)(Function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                         unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream, void** arguments,
                         void** extra);
  Result (*MemGetInfo)(size_t* free, size_t* total);
  Result (*MemAlloc)(DevicePointer*, size_t);
  Result (*MemFree)(DevicePointer);
  Result (*MemHostAlloc)(void**, size_t, unsigned flags);
  Result (*MemFreeHost)(void*);
  Result (*MemsetD8Async)(DevicePointer, unsigned char, size_t, Stream);
  Result (*MemcpyHtoDAsync)(DevicePointer, const void*, size_t, Stream);
  Result (*MemcpyDtoHAsync)(void*, DevicePointer, size_t, Stream);
  Result (*Memcpy2DAsync)(const Copy2D*, Stream);
  Result (*StreamCreate)(Stream*, unsigned flags);
  Result (*StreamDestroy)(Stream);
  Result (*StreamSynchronize)(Stream);
  Result (*StreamWaitEvent)(Stream, Event, unsigned flags);
  Result (*EventCreate)(Event*, unsigned flags);
  Result (*EventDestroy)(Event);
  Result (*EventRecord)(Event, Stream);
  Result (*EventSynchronize)(Event);
  Result (*PointerGetAttribute)(void*, int attribute, DevicePointer);
  EncodeTensorMap TensorMapEncodeTiled;  // null before driver 12.0
};

}  // namespace infcl::cuda::api
