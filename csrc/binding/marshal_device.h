// Reads JavaScript requests about memory of a device: allocations, foreign addresses, transfers. Writes the
// counts of such memory.
#pragma once

#include <memory>

#include "binding/device_handle.h"
#include "binding/request_reader.h"
#include "core/backends.h"
#include "core/types.h"

namespace infcl::binding {

// A copy between the host and a device. `features` lie in the memory of the device, or will be copied there.
struct MarshalledTransfer {
  int device = 0;
  std::shared_ptr<DeviceStorage> storage;
  MatrixView features;
  void* host = nullptr;  // target of a download; null for an upload
  Retained retained;
};
MarshalledTransfer read_upload(const Napi::Value&);
MarshalledTransfer read_download(const Napi::Value&);

struct MarshalledAllocation {
  int device = 0;
  int64_t bytes = 0;
};
MarshalledAllocation read_allocation(const Napi::Value&);
int read_device_request(const Napi::Value&);

// Memory that another owner allocated.
struct MarshalledAddress {
  int device = 0;
  void* address = nullptr;
  int64_t bytes = 0;
  Place place;
};
MarshalledAddress read_address(const Napi::Value&);

Napi::Object write_device_memory(Napi::Env, const DeviceMemoryInfo&, const DeviceLedger::Account&);

}  // namespace infcl::binding
