#include "binding/group_exports.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "binding/collective_task.h"
#include "binding/failure.h"
#include "binding/group_handle.h"
#include "binding/group_lane.h"
#include "binding/request_reader.h"
#include "comm/mpi/find.h"

namespace infcl::binding {

namespace {

mpi::Launcher launcher_of(Napi::Env env) {
  return mpi::find_launcher([env](const char* name) { return read_variable(env, name); },
                            mpi::library_names());
}

Napi::Object write_facts(Napi::Env env, const mpi::LibraryFacts& facts) {
  Napi::Object out = Napi::Object::New(env);
  define(out, "library", facts.path);
  define(out, "layout", facts.layout);
  define(out, "version", facts.version);
  return out;
}

class OpenTask final : public Task {
 public:
  OpenTask(GroupLane& lane, std::string library, mpi::Launcher launcher, double timeout)
      : lane_(lane), library_(std::move(library)), launcher_(std::move(launcher)) {
    patience_.timeout = timeout;
  }

  void run() override {
    facts_ = mpi::find_library(library_, launcher_);
    const auto group = mpi::Group::start(
        [library = library_, launcher = launcher_] { return mpi::open_wire(library, launcher); }, patience_);
    try {
      group->wait_until_open(control());
    } catch (...) {
      group->abandon();
      throw;
    }
    lane_.keep(group);
    group_ = group;
  }
  Napi::Value result(Napi::Env env) const override {
    Napi::Object out = write_facts(env, facts_);
    define(out, "handle", make_group_handle(env, group_));
    define(out, "rank", group_->rank());
    define(out, "size", group_->size());
    return out;
  }
  Control control() const override { return {words_}; }

 private:
  GroupLane& lane_;
  const std::string library_;
  const mpi::Launcher launcher_;
  mpi::Patience patience_;
  mpi::LibraryFacts facts_;
  std::shared_ptr<mpi::Group> group_;
  mutable int32_t words_[Control::kWords] = {0, 0, 0};
};

// Waits for the other ranks.
class CloseTask final : public Task {
 public:
  explicit CloseTask(std::shared_ptr<mpi::Group> group) : group_(std::move(group)) {}
  void run() override { group_->close(control()); }
  Napi::Value result(Napi::Env env) const override { return env.Undefined(); }
  Control control() const override { return {words_}; }

 private:
  const std::shared_ptr<mpi::Group> group_;
  mutable int32_t words_[Control::kWords] = {0, 0, 0};
};

}  // namespace

Napi::Value open_group(const Napi::CallbackInfo& info, AddonState& state) {
  Retained none;
  const RequestReader in(info[0], "", none);
  GroupLane& lane = state.group_lane();
  return lane.runner().submit(
      std::make_unique<OpenTask>(lane, in.string("library"), launcher_of(info.Env()), in.number("timeout")));
}

Napi::Value call_group(const Napi::CallbackInfo& info, AddonState& state) {
  const auto retained = std::make_shared<Retained>();
  return state.group_lane().runner().submit(
      read_collective(RequestReader(info[1], "", *retained), group_of(info[0]), retained));
}

Napi::Value close_group(const Napi::CallbackInfo& info, AddonState& state) {
  return state.group_lane().runner().submit(std::make_unique<CloseTask>(group_of(info[0])));
}

Napi::Value fail_group(const Napi::CallbackInfo& info, AddonState&) {
  const auto& group = group_of(info[0]);
  if (!info[1].IsString()) throw RequestError("ERR_TYPE", "Expected string for text");
  group->fail(info[1].As<Napi::String>().Utf8Value());
  return info.Env().Undefined();
}

Napi::Value leave_group(const Napi::CallbackInfo& info, AddonState&) {
  const auto& group = group_of(info[0]);
  if (!info[1].IsNumber()) throw RequestError("ERR_TYPE", "Expected number for exitCode");
  const int code = info[1].As<Napi::Number>().Int32Value();
  const mpi::Departure departure = group->leave(code);
  // The process is ending anyway. Its destructors would run beside a library that hangs or has aborted the
  // job.
  if (departure != mpi::Departure::kInOrder)
    std::_Exit(code == 0 && departure == mpi::Departure::kFailed ? 1 : code);
  return info.Env().Undefined();
}

Napi::Value find_mpi(const Napi::CallbackInfo& info, AddonState&) {
  Retained none;
  const RequestReader in(info[0], "", none);
  return write_facts(info.Env(), mpi::find_library(in.string("library"), launcher_of(info.Env())));
}

}  // namespace infcl::binding
