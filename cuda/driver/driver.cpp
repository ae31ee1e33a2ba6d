// Loads the CUDA driver's library and finds the functions that this backend calls.
#include "cuda/driver/driver.h"

#include <dlfcn.h>

#include <mutex>
#include <optional>
#include <string>

#include "core/backends.h"
#include "core/errors.h"
#include "core/settings.h"

namespace infcl::cuda {

namespace {

[[noreturn]] void unavailable(const std::string& why) {
  throw Error(ErrorCode::kBackendUnavailable, "cuda", why);
}

std::string describe(const api::Functions& f, api::Result result) {
  const char *name = nullptr, *text = nullptr;
  f.GetErrorName(result, &name);
  f.GetErrorString(result, &text);
  return std::string(name ? name : "CUDA error " + std::to_string(result)) + (text ? ": " : "") +
         (text ? text : "");
}

// The library that use_cuda_library() asked for. The whole process uses the same one.
struct WantedLibrary {
  std::mutex mutex;
  std::optional<std::string> path;
};

WantedLibrary& wanted_library() {
  static WantedLibrary wanted;
  return wanted;
}

// Without such a call, the path comes from the environment. Any thread may read the environment, because such
// a program does not change it.
std::string library_path() {
  WantedLibrary& wanted = wanted_library();
  const std::lock_guard<std::mutex> lock(wanted.mutex);
  if (!wanted.path) wanted.path = settings_from_environment().cuda_library;
  return wanted.path->empty() ? "libcuda.so.1" : *wanted.path;
}

class Library {
 public:
  Library() : path_(library_path()) {
    handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_) unavailable("no CUDA driver: " + std::string(dlerror()));
  }

  template <class F>
  void find_if_any(F*& out, const char* symbol) const {
    out = reinterpret_cast<F*>(dlsym(handle_, symbol));
  }
  template <class F>
  void find(F*& out, const char* symbol) const {
    find_if_any(out, symbol);
    if (!out) unavailable("the CUDA driver " + path_ + " has no " + symbol + "; a newer driver is needed");
  }

 private:
  std::string path_;
  void* handle_;  // never closed: the driver has threads and exit handlers of its own
};

api::Functions load() {
  const Library library;
  api::Functions f{};
  library.find(f.Init, "cuInit");
  library.find(f.GetErrorName, "cuGetErrorName");
  library.find(f.GetErrorString, "cuGetErrorString");
  library.find(f.DeviceGetCount, "cuDeviceGetCount");
  library.find(f.DeviceGet, "cuDeviceGet");
  library.find(f.DeviceGetName, "cuDeviceGetName");
  library.find(f.DeviceGetAttribute, "cuDeviceGetAttribute");
  library.find(f.DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
  library.find(f.DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
  library.find(f.CtxPushCurrent, "cuCtxPushCurrent_v2");
  library.find(f.CtxPopCurrent, "cuCtxPopCurrent_v2");
  library.find(f.ModuleLoadData, "cuModuleLoadData");
  library.find(f.ModuleUnload, "cuModuleUnload");
  library.find(f.ModuleGetFunction, "cuModuleGetFunction");
  library.find(f.FuncSetAttribute, "cuFuncSetAttribute");
  library.find(f.LaunchKernel, "cuLaunchKernel");
  library.find(f.MemGetInfo, "cuMemGetInfo_v2");
  library.find(f.MemAlloc, "cuMemAlloc_v2");
  library.find(f.MemFree, "cuMemFree_v2");
  library.find(f.MemHostAlloc, "cuMemHostAlloc");
  library.find(f.MemFreeHost, "cuMemFreeHost");
  library.find(f.MemsetD8Async, "cuMemsetD8Async");
  library.find(f.MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2");
  library.find(f.MemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2");
  library.find(f.Memcpy2DAsync, "cuMemcpy2DAsync_v2");
  library.find(f.StreamCreate, "cuStreamCreate");
  library.find(f.StreamDestroy, "cuStreamDestroy_v2");
  library.find(f.StreamSynchronize, "cuStreamSynchronize");
  library.find(f.StreamWaitEvent, "cuStreamWaitEvent");
  library.find(f.EventCreate, "cuEventCreate");
  library.find(f.EventDestroy, "cuEventDestroy_v2");
  library.find(f.EventRecord, "cuEventRecord");
  library.find(f.EventSynchronize, "cuEventSynchronize");
  library.find(f.PointerGetAttribute, "cuPointerGetAttribute");
  library.find_if_any(f.TensorMapEncodeTiled, "cuTensorMapEncodeTiled");
  const api::Result result = f.Init(0);
  if (result == api::kNoDevice) unavailable("the CUDA driver finds no device");
  if (result != api::kSuccess) unavailable("the CUDA driver does not start: " + describe(f, result));
  return f;
}

}  // namespace

const api::Functions& driver() {
  static const api::Functions functions = load();
  return functions;
}

void check(api::Result result, const char* operation) {
  if (result == api::kSuccess) return;
  const ErrorCode code = result == api::kOutOfMemory ? ErrorCode::kOutOfMemory : ErrorCode::kDevice;
  throw Error(code, "cuda", std::string(operation) + ": " + describe(driver(), result));
}

}  // namespace infcl::cuda

namespace infcl {

void use_cuda_library(const std::string& path) {
  cuda::WantedLibrary& wanted = cuda::wanted_library();
  const std::lock_guard<std::mutex> lock(wanted.mutex);
  if (!path.empty() || !wanted.path) wanted.path = path;
}

}  // namespace infcl
