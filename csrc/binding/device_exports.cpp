#include "binding/device_exports.h"

#include <utility>

#include "binding/marshal_device.h"
#include "core/backends.h"

namespace infcl::binding {

namespace {

// Copies features. Runs on the lane of the device, after all calls that came earlier.
class TransferTask final : public Task {
 public:
  explicit TransferTask(MarshalledTransfer transfer) : t_(std::move(transfer)) {}
  void run() override {
    check_mappings(t_.retained.mappings);
    if (t_.host)
      t_.storage->download(t_.features, t_.host);
    else
      t_.storage->upload(t_.features);
    settle_mappings(t_.retained.mappings);
  }
  Napi::Value result(Napi::Env env) const override { return env.Undefined(); }

 private:
  const MarshalledTransfer t_;
};

Napi::Value submit(AddonState& state, MarshalledTransfer transfer) {
  BackendLane& lane = state.lane({BackendKind::kCuda, transfer.device});
  return lane.runner().submit(std::make_unique<TransferTask>(std::move(transfer)));
}

}  // namespace

Napi::Value allocate_device(const Napi::CallbackInfo& info, AddonState& state) {
  const auto [device, bytes] = read_allocation(info[0]);
  return make_handle(info.Env(), allocate_device_storage(device, bytes), state.ledger());
}

Napi::Value wrap_device(const Napi::CallbackInfo& info, AddonState& state) {
  const MarshalledAddress a = read_address(info[0]);
  return make_handle(info.Env(), borrow_device_storage(a.device, a.address, a.bytes, a.place),
                     state.ledger());
}

Napi::Value share_device(const Napi::CallbackInfo& info, AddonState&) {
  return duplicate_handle(info.Env(), open_handle(info[0]), info[1].As<Napi::Number>().Int64Value(),
                          info[2].As<Napi::Boolean>().Value());
}

Napi::Value release_device(const Napi::CallbackInfo& info, AddonState&) {
  release_handle(info[0]);
  return info.Env().Undefined();
}

Napi::Value device_pointer(const Napi::CallbackInfo& info, AddonState&) {
  return Napi::BigInt::New(info.Env(), reinterpret_cast<uint64_t>(open_handle(info[0]).data()));
}

Napi::Value upload_device(const Napi::CallbackInfo& info, AddonState& state) {
  return submit(state, read_upload(info[0]));
}

Napi::Value download_device(const Napi::CallbackInfo& info, AddonState& state) {
  return submit(state, read_download(info[0]));
}

Napi::Value device_memory(const Napi::CallbackInfo& info, AddonState& state) {
  const int device = read_device_request(info[0]);
  return write_device_memory(info.Env(), device_memory_info(device), state.ledger()->accounts[device]);
}

}  // namespace infcl::binding
