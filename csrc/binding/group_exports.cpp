#include "binding/group_exports.h"

#include <string>
#include <utility>

#include "binding/failure.h"
#include "binding/group_handle.h"
#include "binding/request_reader.h"
#include "binding/task.h"
#include "comm/thread_ring.h"
#include "core/agreement.h"

namespace infcl::binding {

namespace {

constexpr int64_t kMostRanks = 1024;

// Takes the place of a call that this rank did not make, until all ranks have come.
class Refusal final : public Task {
 public:
  Refusal(GroupRank& rank, std::string why, bool started)
      : rank_(rank), why_(std::move(why)), started_(started) {}
  void run() override {
    const bool awaited = !started_ || rank_.awaited;
    rank_.awaited = false;
    Control control;
    control.words = words_;
    if (awaited) refuse_call(why_, *rank_.communicator, control);
  }
  Napi::Value result(Napi::Env env) const override { return env.Undefined(); }
  // So that a thread which waits here ends with its environment.
  Control control() const override {
    Control control;
    control.words = const_cast<int32_t*>(words_);
    return control;
  }
  // The others may never come.
  bool keeps_alive() const override { return false; }

 private:
  GroupRank& rank_;
  const std::string why_;
  const bool started_;  // the call reached native code, which knows whether the others still wait
  int32_t words_[Control::kWords] = {};
};

}  // namespace

Napi::Value thread_groups(const Napi::CallbackInfo& info, AddonState& state) {
  Retained none;
  const int64_t ranks = RequestReader(info[0], "", none).integer("ranks");
  if (ranks < 1 || ranks > kMostRanks) throw RequestError("ERR_VALUE", "Expected 1 to 1024 ranks");
  const Napi::Array handles = Napi::Array::New(info.Env(), static_cast<size_t>(ranks));
  uint32_t at = 0;
  for (auto& communicator : comm::make_thread_ring(static_cast<int>(ranks)))
    handles.Set(at++, make_group_handle(info.Env(), std::move(communicator), state.settings()));
  return handles;
}

Napi::Value refuse_group_call(const Napi::CallbackInfo& info, AddonState&) {
  Retained none;
  const RequestReader in(info[0], "", none);
  GroupRank& rank = open_group_handle(in.value("group"));
  return rank.lane.runner().submit(
      std::make_unique<Refusal>(rank, in.string("message"), in.boolean("started")));
}

Napi::Value close_group(const Napi::CallbackInfo& info, AddonState&) {
  close_group_handle(info[0]);
  return info.Env().Undefined();
}

}  // namespace infcl::binding
