#include "binding/device_handle.h"

#include <utility>

#include "binding/failure.h"

namespace infcl::binding {

namespace {

constexpr napi_type_tag kTag = {0x1f2c9a6e5b7d4e03, 0x8c41d5a2f6e09b77};

using Handle = Napi::External<DeviceHandle>;

Napi::Value wrap(Napi::Env env, DeviceHandle handle) {
  handle.ledger->accounts[handle.storage->device()].matrices += handle.is_matrix ? 1 : 0;
  const auto finalize = [](Napi::Env, DeviceHandle* forgotten) {
    forgotten->release();
    delete forgotten;
  };
  const Handle external = Handle::New(env, new DeviceHandle(std::move(handle)), finalize);
  external.TypeTag(&kTag);
  return external;
}

DeviceHandle& unwrap(const Napi::Value& value) {
  if (!is_handle(value)) throw RequestError("ERR_TYPE", "Expected a handle of device memory");
  return *value.As<Handle>().Data();
}

}  // namespace

void DeviceHandle::release() {
  if (!storage) return;
  ledger->accounts[storage->device()].matrices -= is_matrix ? 1 : 0;
  storage.reset();
}

Napi::Value make_handle(Napi::Env env, std::unique_ptr<DeviceStorage> made,
                        const std::shared_ptr<DeviceLedger>& ledger) {
  const int64_t owned = made->is_borrowed() ? 0 : made->bytes();
  const int device = made->device();
  const auto free = [ledger, owned, device](DeviceStorage* storage) {
    ledger->accounts[device].bytes -= owned;
    delete storage;
  };
  ledger->accounts[device].bytes += owned;
  return wrap(env, {std::shared_ptr<DeviceStorage>(made.release(), free), 0, ledger});
}

Napi::Value duplicate_handle(Napi::Env env, const DeviceHandle& handle, int64_t offset, bool is_matrix) {
  if (offset > handle.bytes()) throw RequestError("ERR_SHAPE", "Expected a byte of the device memory");
  DeviceHandle second = handle;
  second.offset += offset;
  second.is_matrix = is_matrix;
  return wrap(env, std::move(second));
}

bool is_handle(const Napi::Value& value) {
  return value.IsExternal() && value.As<Handle>().CheckTypeTag(&kTag);
}

DeviceHandle& open_handle(const Napi::Value& value) {
  DeviceHandle& handle = unwrap(value);
  if (!handle.storage) throw RequestError("ERR_DISPOSED", "The device memory was disposed of");
  return handle;
}

void release_handle(const Napi::Value& value) { unwrap(value).release(); }

}  // namespace infcl::binding
