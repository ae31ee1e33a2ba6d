#include "binding/group_exports.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "binding/collective_task.h"
#include "binding/failure.h"
#include "binding/group_handle.h"
#include "binding/group_lane.h"
#include "binding/group_tasks.h"
#include "binding/request_reader.h"
#include "comm/mpi/find.h"
#include "comm/thread_ring.h"

namespace infcl::binding {

namespace {

constexpr int64_t kMostRanks = 1024;

mpi::Launcher launcher_of(Napi::Env env) {
  return mpi::find_launcher([env](const char* name) { return read_variable(env, name); },
                            mpi::library_names());
}

mpi::Group& processes_of(const Napi::Value& handle) {
  const GroupRank& rank = open_group_handle(handle);
  if (!rank.processes) throw RequestError("ERR_TYPE", "Expected a handle of a group of processes");
  return *rank.processes;
}

}  // namespace

Napi::Value thread_groups(const Napi::CallbackInfo& info, AddonState& state) {
  Retained none;
  const int64_t ranks = RequestReader(info[0], "", none).integer("ranks");
  if (ranks < 1 || ranks > kMostRanks) throw RequestError("ERR_VALUE", "Expected 1 to 1024 ranks");
  const Napi::Env env = info.Env();
  const Napi::Array handles = Napi::Array::New(env, static_cast<size_t>(ranks));
  uint32_t at = 0;
  for (auto& communicator : comm::make_thread_ring(static_cast<int>(ranks))) {
    auto rank = std::make_unique<GroupRank>(env, std::move(communicator), nullptr, state.settings());
    handles.Set(at++, make_group_handle(env, std::move(rank)));
  }
  return handles;
}

Napi::Value open_group(const Napi::CallbackInfo& info, AddonState& state) {
  Retained none;
  const RequestReader in(info[0], "", none);
  GroupLane& lane = state.group_lane();
  return lane.runner().submit(
      open_task(lane, in.string("library"), launcher_of(info.Env()), in.number("timeout"), state.settings()));
}

Napi::Value call_group(const Napi::CallbackInfo& info, AddonState&) {
  GroupRank& rank = open_group_handle(info[0]);
  const auto retained = std::make_shared<Retained>();
  return rank.lane.runner().submit(read_collective(RequestReader(info[1], "", *retained), rank, retained));
}

Napi::Value refuse_group_call(const Napi::CallbackInfo& info, AddonState&) {
  GroupRank& rank = open_group_handle(info[0]);
  Retained none;
  const RequestReader in(info[1], "", none);
  return rank.lane.runner().submit(refusal_task(rank, in.string("message"), in.boolean("started")));
}

// A rank that is a process waits for the others. A rank that is a thread is gone at once.
Napi::Value close_group(const Napi::CallbackInfo& info, AddonState&) {
  GroupRank* const rank = find_group_rank(info[0]);
  if (rank && rank->processes) return rank->lane.runner().submit(close_task(*rank));
  close_group_handle(info[0]);
  return info.Env().Undefined();
}

Napi::Value fail_group(const Napi::CallbackInfo& info, AddonState&) {
  mpi::Group& processes = processes_of(info[0]);
  if (!info[1].IsString()) throw RequestError("ERR_TYPE", "Expected string for text");
  processes.fail(info[1].As<Napi::String>().Utf8Value());
  return info.Env().Undefined();
}

Napi::Value leave_group(const Napi::CallbackInfo& info, AddonState&) {
  mpi::Group& processes = processes_of(info[0]);
  if (!info[1].IsNumber()) throw RequestError("ERR_TYPE", "Expected number for exitCode");
  const int code = info[1].As<Napi::Number>().Int32Value();
  const mpi::Departure departure = processes.leave(code);
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
