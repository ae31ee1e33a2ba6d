// Names of the backends this build knows. The binding asks here and never includes a backend's own headers.
#pragma once

#include <cstdint>
#include <memory>
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
  int device = 0;  // cuda
};

struct CpuInfo {
  std::string isa;                // the one that calls will use
  std::vector<std::string> isas;  // all that this machine runs, slowest first
  int threads = 0;                // processors this process may use
};
CpuInfo cpu_info(const Settings&);

struct CudaInfo {
  bool available = false;
  std::string reason;                // why not
  std::vector<std::string> devices;  // names, by index
};
CudaInfo cuda_info();
// Which library is loaded as the CUDA driver; "" asks for none in particular, which is libcuda.so.1. There is
// one for the whole process: the last that was named before the driver is found. In a program that never
// calls this, INFCL_CUDA_LIBRARY names the library.
void use_cuda_library(const std::string& path);

// One per Node environment: owns its thread pool and workspace, both kept between calls. Calls on one backend
// are serialised by the caller.
std::unique_ptr<Backend> make_cpu_backend(const Settings&);
std::unique_ptr<Planner> make_cpu_planner(const Settings&);
// Throws Error: kBackendUnavailable, or kDevice for an index that no device has. Calls on several may run at
// once.
std::unique_ptr<Backend> make_cuda_backend(int device, const Settings&);
std::unique_ptr<Planner> make_cuda_planner(int device, const Settings&);
// Memory of a device for features and gradients; 0 bytes are none. Throws kOutOfMemory with what there is.
std::unique_ptr<DeviceStorage> allocate_device_storage(int device, int64_t bytes);
// Memory of somebody else. Throws kDevice when it is not that device's.
std::unique_ptr<DeviceStorage> borrow_device_storage(int device, void* address, int64_t bytes, const Place&);
struct DeviceMemoryInfo {
  int64_t free = 0, total = 0;  // free: with what backends keep for their next call, and give up when asked
  int64_t kept = 0;
};
DeviceMemoryInfo device_memory_info(int device);

}  // namespace infcl
