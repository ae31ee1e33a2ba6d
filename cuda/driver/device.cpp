// Devices by the driver: how many there are, their traits and their free memory.
#include "cuda/driver/device.h"

#include "core/errors.h"

namespace infcl::cuda {

namespace {

api::Device find_device(int ordinal) {
  const int count = device_count();
  if (ordinal < 0 || ordinal >= count)
    throw Error(
        ErrorCode::kDevice, "cuda",
        "Expected a device below " + std::to_string(count) + " but received " + std::to_string(ordinal));
  api::Device device;
  check(driver().DeviceGet(&device, ordinal), "cuDeviceGet");
  return device;
}

int attribute(api::Device device, int which) {
  int value = 0;
  check(driver().DeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute");
  return value;
}

}  // namespace

int device_count() {
  int count = 0;
  check(driver().DeviceGetCount(&count), "cuDeviceGetCount");
  return count;
}

DeviceTraits device_traits(int ordinal) {
  const api::Device device = find_device(ordinal);
  char name[256] = "";
  check(driver().DeviceGetName(name, sizeof name, device), "cuDeviceGetName");
  DeviceTraits t;
  t.name = name;
  t.capability = 10 * attribute(device, api::kCapabilityMajor) + attribute(device, api::kCapabilityMinor);
  t.multiprocessors = attribute(device, api::kMultiprocessorCount);
  t.l2_bytes = attribute(device, api::kL2CacheSize);
  return t;
}

DeviceContext::DeviceContext(int ordinal) : device_(find_device(ordinal)) {
  check(driver().DevicePrimaryCtxRetain(&context_, device_), "cuDevicePrimaryCtxRetain");
}

DeviceContext::~DeviceContext() { driver().DevicePrimaryCtxRelease(device_); }

MemoryInfo memory_info() {
  size_t free = 0, total = 0;
  check(driver().MemGetInfo(&free, &total), "cuMemGetInfo");
  return {static_cast<int64_t>(free), static_cast<int64_t>(total)};
}

}  // namespace infcl::cuda
