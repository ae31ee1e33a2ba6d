// Driver API: initialisation, devices, contexts, errors.
#include <cstdio>
#include <cstring>

#include "driver_state.h"

using namespace infcl::emulator;

namespace {

template <class F>
CUresult with_device(CUdevice device, F f) {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  if (!s.initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (device < 0 || static_cast<size_t>(device) >= s.devices.size()) return CUDA_ERROR_INVALID_DEVICE;
  return f(*s.devices[static_cast<size_t>(device)]);
}

const char* error_name(CUresult error) {
  switch (error) {
#define INFCL_ERROR(name) \
  case name:              \
    return #name;
    INFCL_ERROR(CUDA_SUCCESS)
    INFCL_ERROR(CUDA_ERROR_INVALID_VALUE)
    INFCL_ERROR(CUDA_ERROR_OUT_OF_MEMORY)
    INFCL_ERROR(CUDA_ERROR_NOT_INITIALIZED)
    INFCL_ERROR(CUDA_ERROR_INVALID_DEVICE)
    INFCL_ERROR(CUDA_ERROR_INVALID_CONTEXT)
    INFCL_ERROR(CUDA_ERROR_INVALID_IMAGE)
    INFCL_ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU)
    INFCL_ERROR(CUDA_ERROR_INVALID_PTX)
    INFCL_ERROR(CUDA_ERROR_INVALID_HANDLE)
    INFCL_ERROR(CUDA_ERROR_NOT_FOUND)
    INFCL_ERROR(CUDA_ERROR_NOT_READY)
    INFCL_ERROR(CUDA_ERROR_ILLEGAL_ADDRESS)
    INFCL_ERROR(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES)
    INFCL_ERROR(CUDA_ERROR_CONTEXT_IS_DESTROYED)
    INFCL_ERROR(CUDA_ERROR_ILLEGAL_INSTRUCTION)
    INFCL_ERROR(CUDA_ERROR_MISALIGNED_ADDRESS)
    INFCL_ERROR(CUDA_ERROR_LAUNCH_FAILED)
    INFCL_ERROR(CUDA_ERROR_NOT_SUPPORTED)
#undef INFCL_ERROR
    default:
      return nullptr;
  }
}

CUresult attribute_value(CUdevice_attribute attribute, int* value) {
  const int sm = emulated_sm();
  const auto optin = static_cast<int>(largest_dynamic_shared_bytes());
  switch (attribute) {
#define INFCL_ATTRIBUTE(name, v)   \
  case CU_DEVICE_ATTRIBUTE_##name: \
    *value = static_cast<int>(v);  \
    return CUDA_SUCCESS;
    INFCL_ATTRIBUTE(COMPUTE_CAPABILITY_MAJOR, sm / 10)
    INFCL_ATTRIBUTE(COMPUTE_CAPABILITY_MINOR, sm % 10)
    INFCL_ATTRIBUTE(MULTIPROCESSOR_COUNT, emulated_multiprocessors())
    INFCL_ATTRIBUTE(WARP_SIZE, kWarpSize)
    INFCL_ATTRIBUTE(MAX_THREADS_PER_BLOCK, 1024)
    INFCL_ATTRIBUTE(MAX_THREADS_PER_MULTIPROCESSOR, 2048)
    INFCL_ATTRIBUTE(MAX_BLOCK_DIM_X, 1024)
    INFCL_ATTRIBUTE(MAX_BLOCK_DIM_Y, 1024)
    INFCL_ATTRIBUTE(MAX_BLOCK_DIM_Z, 64)
    INFCL_ATTRIBUTE(MAX_GRID_DIM_X, 0x7fffffff)
    INFCL_ATTRIBUTE(MAX_GRID_DIM_Y, 65535)
    INFCL_ATTRIBUTE(MAX_GRID_DIM_Z, 65535)
    INFCL_ATTRIBUTE(MAX_SHARED_MEMORY_PER_BLOCK, 48 << 10)
    INFCL_ATTRIBUTE(MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, optin)
    INFCL_ATTRIBUTE(MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, optin + 1024)
    INFCL_ATTRIBUTE(RESERVED_SHARED_MEMORY_PER_BLOCK, 1024)
    INFCL_ATTRIBUTE(MAX_REGISTERS_PER_BLOCK, 65536)
    INFCL_ATTRIBUTE(MAX_REGISTERS_PER_MULTIPROCESSOR, 65536)
    INFCL_ATTRIBUTE(MAX_BLOCKS_PER_MULTIPROCESSOR, 32)
    INFCL_ATTRIBUTE(L2_CACHE_SIZE, 40 << 20)
    INFCL_ATTRIBUTE(CLOCK_RATE, 1410000)
    INFCL_ATTRIBUTE(MEMORY_CLOCK_RATE, 1215000)
    INFCL_ATTRIBUTE(GLOBAL_MEMORY_BUS_WIDTH, 5120)
    INFCL_ATTRIBUTE(INTEGRATED, 0)
    INFCL_ATTRIBUTE(UNIFIED_ADDRESSING, 1)
    INFCL_ATTRIBUTE(CONCURRENT_KERNELS, 1)
    INFCL_ATTRIBUTE(ASYNC_ENGINE_COUNT, 2)
    INFCL_ATTRIBUTE(COOPERATIVE_LAUNCH, 0)
    INFCL_ATTRIBUTE(CLUSTER_LAUNCH, sm >= 90)
    INFCL_ATTRIBUTE(COMPUTE_MODE, CU_COMPUTEMODE_DEFAULT)
    INFCL_ATTRIBUTE(PCI_BUS_ID, 0)
    INFCL_ATTRIBUTE(PCI_DEVICE_ID, 0)
#undef INFCL_ATTRIBUTE
    default:
      return failed(CUDA_ERROR_INVALID_VALUE,
                    "device attribute " + std::to_string(static_cast<int>(attribute)) + " is not emulated");
  }
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuInit(unsigned flags) {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (emulated_device_count() == 0) return CUDA_ERROR_NO_DEVICE;
  if (s.initialised) return CUDA_SUCCESS;
  for (int i = 0; i < emulated_device_count(); i++) {
    s.devices.push_back(std::make_unique<CUctx_st>());
    s.devices.back()->ordinal = i;
  }
  s.initialised = true;
  return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
  *version = CUDA_VERSION;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  if (!state().initialised) return CUDA_ERROR_NOT_INITIALIZED;
  *count = static_cast<int>(state().devices.size());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return with_device(ordinal, [&](CUctx_st& context) {
    *device = context.ordinal;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  return with_device(device, [&](CUctx_st&) {
    std::snprintf(name, static_cast<size_t>(length), "infcl emulator, sm_%d", emulated_sm());
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  return with_device(device, [&](CUctx_st& context) {
    std::memset(uuid, 0, sizeof *uuid);
    uuid->bytes[15] = static_cast<char>(context.ordinal);
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  return with_device(device, [&](CUctx_st&) {
    *bytes = emulated_memory_bytes();
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  return with_device(device, [&](CUctx_st&) { return attribute_value(attribute, value); });
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return with_device(device, [&](CUctx_st& c) {
    c.retained++;
    *context = &c;
    return CUDA_SUCCESS;
  });
}

// The last release destroys the context and what lives in it.
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return with_device(device, [](CUctx_st& c) {
    if (c.retained == 0) return failed(CUDA_ERROR_INVALID_CONTEXT, "a context released too often");
    if (--c.retained == 0) c.sticky = CUDA_SUCCESS;
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return with_device(device, [](CUctx_st& c) {
    c.sticky = CUDA_SUCCESS;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxSetCurrent(CUcontext context) {
  auto& stack = context_stack();
  if (!stack.empty()) stack.pop_back();
  if (context) stack.push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = context_stack().empty() ? nullptr : context_stack().back();
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  context_stack().push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (context_stack().empty()) return CUDA_ERROR_INVALID_CONTEXT;
  if (context) *context = context_stack().back();
  context_stack().pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice* device) {
  return with_context([&](CUctx_st& context) {
    *device = context.ordinal;
    return CUDA_SUCCESS;
  });
}

#undef cuCtxSynchronize
CUresult cuCtxSynchronize() {
  return with_context([](CUctx_st&) { return CUDA_SUCCESS; });
}

CUresult cuGetErrorName(CUresult error, const char** name) {
  *name = error_name(error);
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// The emulator's own message, where it has one for that error.
CUresult cuGetErrorString(CUresult error, const char** text) {
  DriverState& s = state();
  std::lock_guard<std::recursive_mutex> guard(s.lock);
  thread_local std::string kept;
  auto message = s.messages.find(error);
  if (message == s.messages.end()) return cuGetErrorName(error, text);
  kept = message->second;
  *text = kept.c_str();
  return CUDA_SUCCESS;
}

}  // extern "C"
#pragma GCC visibility pop
