// The JavaScript object for memory of a device. Its finalizer, or an explicit release, gives up one reference
// to the memory. The last reference, which may be that of a running call, frees the memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "binding/napi_env.h"
#include "core/device_storage.h"

namespace infcl::binding {

// The use of each device by one environment.
struct DeviceLedger {
  struct Account {
    int64_t bytes = 0;     // allocated memory that matrices or calls still refer to
    int64_t matrices = 0;  // handles of matrices, not released
  };
  std::map<int, Account> accounts;
};

struct DeviceHandle {
  std::shared_ptr<DeviceStorage> storage;  // null once released
  int64_t offset = 0;                      // in bytes: the first byte of this handle
  std::shared_ptr<DeviceLedger> ledger;
  bool is_matrix = true;  // false: a call's reference to the memory of a matrix

  char* data() const { return storage->data() + offset; }
  int64_t bytes() const { return storage->bytes() - offset; }
  void release();
};

// All functions are for the environment's thread.
Napi::Value make_handle(Napi::Env, std::unique_ptr<DeviceStorage>, const std::shared_ptr<DeviceLedger>&);
// A second handle of the same memory, which begins `offset` bytes later.
Napi::Value duplicate_handle(Napi::Env, const DeviceHandle&, int64_t offset, bool is_matrix);
bool is_handle(const Napi::Value&);
// Throws RequestError: ERR_TYPE for a value that is no handle, ERR_DISPOSED for a released handle.
DeviceHandle& open_handle(const Napi::Value&);
// Releases the handle. A second release does nothing.
void release_handle(const Napi::Value&);

}  // namespace infcl::binding
