// Devices of this machine: their traits, their memory and their primary contexts.
#pragma once

#include <cstdint>
#include <string>

#include "cuda/driver/driver.h"

namespace infcl::cuda {

struct DeviceTraits {
  std::string name;
  int capability = 0;  // 10 * major + minor: 80, 90, 120
  int multiprocessors = 0;
  int64_t l2_bytes = 0;
};

int device_count();
DeviceTraits device_traits(int ordinal);

// The primary context of a device. All users of the device in this process use the same context.
class DeviceContext {
 public:
  explicit DeviceContext(int ordinal);  // throws Error (kDevice) when there is no such device
  ~DeviceContext();
  DeviceContext(const DeviceContext&) = delete;
  DeviceContext& operator=(const DeviceContext&) = delete;

  // Makes the context current on this thread for the life of the Scope, because a call may come from any
  // thread. The constructor does not throw, because destructors need it too. If it fails, the next call of
  // the driver reports the missing context.
  class Scope {
   public:
    explicit Scope(const DeviceContext& context)
        : pushed_(driver().CtxPushCurrent(context.context_) == api::kSuccess) {}
    ~Scope() {
      api::Context popped;
      if (pushed_) driver().CtxPopCurrent(&popped);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const bool pushed_;
  };

  api::Context get() const { return context_; }

 private:
  api::Device device_ = 0;
  api::Context context_ = nullptr;
};

struct MemoryInfo {
  int64_t free = 0, total = 0;
};
MemoryInfo memory_info();  // of the current context's device

}  // namespace infcl::cuda
