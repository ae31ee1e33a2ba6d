// Memory of a device that outlives calls: features that a caller keeps there, and their gradients. Functions
// of core/backends.h make it. The destructor, which any thread may run, frees memory that is not borrowed.
#pragma once

#include <cstdint>

#include "core/types.h"

namespace infcl {

class DeviceStorage {
 public:
  virtual ~DeviceStorage() = default;
  DeviceStorage(const DeviceStorage&) = delete;
  DeviceStorage& operator=(const DeviceStorage&) = delete;

  int device() const { return device_; }
  char* data() const { return data_; }  // an address of the device
  int64_t bytes() const { return bytes_; }
  const Place& place() const { return place_; }
  bool is_borrowed() const { return borrowed_; }

  // Copies the rows of a matrix on the host to the beginning of this memory, without gaps. Returns after the
  // copy has ended.
  virtual void upload(const MatrixView&) = 0;
  // Copies the rows of a matrix in this memory to the host, without gaps. Returns after the copy has ended.
  virtual void download(const MatrixView&, void* host) = 0;

 protected:
  DeviceStorage(int device, int64_t bytes, const Place& place, bool borrowed)
      : bytes_(bytes), place_(place), device_(device), borrowed_(borrowed) {}
  char* data_ = nullptr;

 private:
  const int64_t bytes_;
  const Place place_;
  const int device_;
  const bool borrowed_;
};

}  // namespace infcl
