// The addon's exports, as lib/native/binding.ts lists them.

#include <exception>
#include <utility>

#include "binding/addon_state.h"
#include "binding/device_exports.h"
#include "binding/failure.h"
#include "binding/group_exports.h"
#include "binding/mapping_exports.h"
#include "binding/marshal.h"
#include "binding/marshal_search.h"
#include "binding/memory_address.h"
#include "binding/napi_env.h"
#include "binding/retained_array.h"

namespace infcl::binding {

namespace {

using Body = Napi::Value (*)(const Napi::CallbackInfo&, AddonState&);

// Wraps every export: exceptions of the core become JavaScript errors, and JavaScript's own errors stay as
// they are.
template <Body body>
Napi::Value entry(const Napi::CallbackInfo& info) {
  try {
    return body(info, *info.Env().GetInstanceData<AddonState>());
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(info.Env(), describe(std::current_exception()));
  }
}

template <class Call>
auto run_request(BackendLane& lane, const Call& call) {
  return lane.run(call.request);
}
// From before the first check until all ranks have come, the others may wait for this rank.
void begin(const MarshalledCall& call) {
  if (call.group) call.group->awaited = true;
}
ContrastiveResult run_request(BackendLane& lane, const MarshalledCall& call) {
  if (!call.group) return lane.run(call.request);
  bool met = false;
  try {
    const ContrastiveResult result = lane.run(call.request, *call.group->communicator, &met);
    call.group->awaited = false;
    return result;
  } catch (...) {
    call.group->awaited = !met;
    throw;
  }
}
void begin(const MarshalledSearch&) {}
// A rank may wait for others when its environment ends.
void interrupt(const MarshalledCall& call) {
  if (call.group) call.group->fail("its Node environment ended");
}
void interrupt(const MarshalledSearch&) {}

// Files must be the same before and after the call that reads them, or the results mean nothing. Gradients
// are in their files when this returns.
template <class Call>
auto run_call(BackendLane& lane, const Call& call) {
  begin(call);
  check_mappings(call.retained.mappings);
  const auto result = run_request(lane, call);
  settle_mappings(call.retained.mappings);
  return result;
}

// A loss or a search.
template <class Call>
class CallTask final : public Task {
 public:
  CallTask(BackendLane& lane, Call call) : lane_(lane), call_(std::move(call)) {}
  void run() override { result_ = run_call(lane_, call_); }
  Napi::Value result(Napi::Env env) const override { return write_result(env, result_); }
  Control control() const override { return call_.request.control; }
  void interrupt() override { binding::interrupt(call_); }

 private:
  using Result = decltype(std::declval<BackendLane&>().run(std::declval<const Call&>().request));

  BackendLane& lane_;
  const Call call_;
  Result result_;
};

template <class Call>
Napi::Value submit(AddonState& state, Call call) {
  BackendLane& lane = state.lane(call.backend);
  return lane.runner().submit(std::make_unique<CallTask<Call>>(lane, std::move(call)));
}

Napi::Value contrastive_async(const Napi::CallbackInfo& info, AddonState& state) {
  MarshalledCall call = read_contrastive_request(info[0]);
  if (!call.group) return submit(state, std::move(call));
  BackendLane& lane = call.group->lane;
  return lane.runner().submit(std::make_unique<CallTask<MarshalledCall>>(lane, std::move(call)));
}

Napi::Value contrastive_sync(const Napi::CallbackInfo& info, AddonState& state) {
  const MarshalledCall call = read_contrastive_request(info[0]);
  if (call.group) throw RequestError("ERR_VALUE", "Expected no group for a call that blocks");
  return write_result(info.Env(), run_call(state.lane(call.backend), call));
}

Napi::Value search_async(const Napi::CallbackInfo& info, AddonState& state) {
  return submit(state, read_search_request(info[0]));
}

Napi::Value plan_sync(const Napi::CallbackInfo& info, AddonState& state) {
  const MarshalledPlan plan = read_plan_request(info[0]);
  return write_plan(info.Env(), state.lane(plan.backend).run(plan.request));
}

Napi::Value cpu(const Napi::CallbackInfo& info, AddonState& state) {
  return write_cpu_info(info.Env(), cpu_info(state.settings()));
}

Napi::Value cuda(const Napi::CallbackInfo& info, AddonState&) {
  return write_cuda_info(info.Env(), cuda_info());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new AddonState(env));
  prepare_to_retain_arrays(env);
  exports.Set("contrastive", Napi::Function::New<entry<contrastive_async>>(env, "contrastive"));
  exports.Set("contrastiveSync", Napi::Function::New<entry<contrastive_sync>>(env, "contrastiveSync"));
  exports.Set("search", Napi::Function::New<entry<search_async>>(env, "search"));
  exports.Set("plan", Napi::Function::New<entry<plan_sync>>(env, "plan"));
  exports.Set("cpuInfo", Napi::Function::New<entry<cpu>>(env, "cpuInfo"));
  exports.Set("cudaInfo", Napi::Function::New<entry<cuda>>(env, "cudaInfo"));
  exports.Set("memoryAddress", Napi::Function::New<entry<memory_address>>(env, "memoryAddress"));
  exports.Set("allocateDevice", Napi::Function::New<entry<allocate_device>>(env, "allocateDevice"));
  exports.Set("wrapDevice", Napi::Function::New<entry<wrap_device>>(env, "wrapDevice"));
  exports.Set("shareDevice", Napi::Function::New<entry<share_device>>(env, "shareDevice"));
  exports.Set("releaseDevice", Napi::Function::New<entry<release_device>>(env, "releaseDevice"));
  exports.Set("devicePointer", Napi::Function::New<entry<device_pointer>>(env, "devicePointer"));
  exports.Set("uploadDevice", Napi::Function::New<entry<upload_device>>(env, "uploadDevice"));
  exports.Set("downloadDevice", Napi::Function::New<entry<download_device>>(env, "downloadDevice"));
  exports.Set("deviceMemory", Napi::Function::New<entry<device_memory>>(env, "deviceMemory"));
  exports.Set("openMapping", Napi::Function::New<entry<open_mapping>>(env, "openMapping"));
  exports.Set("shareMapping", Napi::Function::New<entry<share_mapping>>(env, "shareMapping"));
  exports.Set("releaseMapping", Napi::Function::New<entry<release_mapping>>(env, "releaseMapping"));
  exports.Set("readMapping", Napi::Function::New<entry<read_mapping>>(env, "readMapping"));
  exports.Set("threadGroups", Napi::Function::New<entry<thread_groups>>(env, "threadGroups"));
  exports.Set("openGroup", Napi::Function::New<entry<open_group>>(env, "openGroup"));
  exports.Set("callGroup", Napi::Function::New<entry<call_group>>(env, "callGroup"));
  exports.Set("refuseGroupCall", Napi::Function::New<entry<refuse_group_call>>(env, "refuseGroupCall"));
  exports.Set("closeGroup", Napi::Function::New<entry<close_group>>(env, "closeGroup"));
  exports.Set("failGroup", Napi::Function::New<entry<fail_group>>(env, "failGroup"));
  exports.Set("leaveGroup", Napi::Function::New<entry<leave_group>>(env, "leaveGroup"));
  exports.Set("findMpi", Napi::Function::New<entry<find_mpi>>(env, "findMpi"));
  return exports;
}

}  // namespace

NODE_API_MODULE(infcl, init)

}  // namespace infcl::binding
