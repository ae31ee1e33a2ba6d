// JavaScript objects in and out, of memory of a device: allocations, addresses of others, transfers.
#pragma once

#include <memory>

#include "binding/device_handle.h"
#include "binding/request_reader.h"
#include "core/backends.h"
#include "core/types.h"

namespace infcl::binding {

// Between the host and a device: the memory of `device`, and `features` that lie in it or go there.
struct MarshalledTransfer {
  int device = 0;
  std::shared_ptr<DeviceStorage> storage;
  MatrixView features;
  void* host = nullptr;  // download
  Held held;
};
MarshalledTransfer read_upload(const Napi::Value&);
MarshalledTransfer read_download(const Napi::Value&);

struct MarshalledAllocation {
  int device = 0;
  int64_t bytes = 0;
};
MarshalledAllocation read_allocation(const Napi::Value&);
int read_device_request(const Napi::Value&);

// Memory of somebody else.
struct MarshalledAddress {
  int device = 0;
  void* address = nullptr;
  int64_t bytes = 0;
  Place place;
};
MarshalledAddress read_address(const Napi::Value&);

Napi::Object write_device_memory(Napi::Env, const DeviceMemoryInfo&, const DeviceLedger::Account&);

}  // namespace infcl::binding
