// Memory of a device as JavaScript holds it: an external whose finalizer, or an explicit release, gives up
// one share of the memory. The last share, which may be a running call's, frees it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "binding/napi_env.h"
#include "core/device_storage.h"

namespace infcl::binding {

// What the matrices of one environment hold of each device.
struct DeviceLedger {
  struct Account {
    int64_t bytes = 0;     // memory of ours that is still held, by matrices or by calls
    int64_t matrices = 0;  // handles not released
  };
  std::map<int, Account> accounts;
};

struct DeviceHandle {
  std::shared_ptr<DeviceStorage> storage;  // null once released
  int64_t offset = 0;                      // in bytes, of what this handle is of
  std::shared_ptr<DeviceLedger> ledger;
  bool is_matrix = true;  // or a call's hold on one

  char* data() const { return storage->data() + offset; }
  int64_t bytes() const { return storage->bytes() - offset; }
  void release();
};

// All on the environment's thread.
Napi::Value make_handle(Napi::Env, std::unique_ptr<DeviceStorage>, const std::shared_ptr<DeviceLedger>&);
// A second handle of the same memory, from a byte of it on.
Napi::Value share_handle(Napi::Env, const DeviceHandle&, int64_t offset, bool is_matrix);
bool is_handle(const Napi::Value&);
// Throws RequestError: ERR_TYPE for anything else, ERR_DISPOSED for one that was released.
DeviceHandle& open_handle(const Napi::Value&);
// Releases it; nothing happens when it was released before.
void release_handle(const Napi::Value&);

}  // namespace infcl::binding
