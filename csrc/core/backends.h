// Makes the backends of this build. The binding uses this header and includes no header of a backend.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/settings.h"
#include "core/types.h"

namespace infcl {

class Backend;
class DeviceStorage;
class Planner;

enum class BackendKind { kCpu, kCuda };

struct BackendChoice {
  BackendKind kind = BackendKind::kCpu;
  int device = 0;  // index of the CUDA device
};

// None: no backend has this name.
std::optional<BackendKind> backend_kind(const std::string& name);
// Whether the features of a call may lie in memory of the backend's own, and the choice has an index.
bool has_devices(BackendKind);
// The functions below, chosen by kind.
std::unique_ptr<Backend> make_backend(const BackendChoice&, const Settings&);
std::unique_ptr<Planner> make_planner(const BackendChoice&, const Settings&);

struct CpuInfo {
  std::string isa;                // the instruction set that calls will use
  std::vector<std::string> isas;  // all instruction sets that this machine runs, slowest first
  int threads = 0;                // most threads of a call that names no number
};
CpuInfo cpu_info(const Settings&);

struct CudaInfo {
  bool available = false;
  std::string reason;                // why CUDA is not available
  std::vector<std::string> devices;  // names, by index
};
CudaInfo cuda_info();
// Sets the library to load as the CUDA driver; "" stands for libcuda.so.1. The whole process has one driver:
// the last name before the first use counts. In a program that never calls this function, INFCL_CUDA_LIBRARY
// names the library.
void use_cuda_library(const std::string& path);

// Each Node environment makes its own backend, which owns a thread pool and a workspace and keeps both
// between calls. The caller must not let two calls use one backend at once.
std::unique_ptr<Backend> make_cpu_backend(const Settings&);
std::unique_ptr<Planner> make_cpu_planner(const Settings&);
// Throws Error: kBackendUnavailable, or kDevice for an index that no device has. Calls on several backends
// may run at once.
std::unique_ptr<Backend> make_cuda_backend(int device, const Settings&);
std::unique_ptr<Planner> make_cuda_planner(int device, const Settings&);
// Memory of a device for features and gradients; 0 bytes allocate nothing. Throws Error (kOutOfMemory), whose
// text says how much memory is free.
std::unique_ptr<DeviceStorage> allocate_device_storage(int device, int64_t bytes);
// Memory that another owner allocated. Throws Error (kDevice) when the memory is not on that device.
std::unique_ptr<DeviceStorage> borrow_device_storage(int device, void* address, int64_t bytes, const Place&);
struct DeviceMemoryInfo {
  int64_t free = 0;  // includes `kept`
  int64_t total = 0;
  int64_t kept = 0;  // by backends for their next call; they give it up when an allocation needs it
};
DeviceMemoryInfo device_memory_info(int device);

}  // namespace infcl
