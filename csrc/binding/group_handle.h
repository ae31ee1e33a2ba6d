// One rank of a group as JavaScript holds it: its messages to the other ranks, and a lane of its own. Calls
// of ranks wait for each other, so they could not take turns on the lane of a backend.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "binding/backend_lane.h"
#include "binding/napi_env.h"
#include "comm/mpi/group.h"
#include "core/communicator.h"

namespace infcl::binding {

struct GroupRank {
  GroupRank(Napi::Env env, std::unique_ptr<Communicator> of, std::shared_ptr<mpi::Group> of_processes,
            const Settings& settings)
      : communicator(std::move(of)), processes(std::move(of_processes)), lane(env, {}, settings) {}

  // The rank's errors reach the calls of the others.
  void fail(const std::string& why) { communicator->fail(Error(ErrorCode::kRankFailed, "group", why)); }

  const std::unique_ptr<Communicator> communicator;
  const std::shared_ptr<mpi::Group> processes;  // of which this process is a rank; null: ranks are threads
  // Used on the lane's thread. True where the last call ended before all ranks had come, so that they may
  // still come.
  bool awaited = false;
  BackendLane lane;  // the last member, as its thread uses the others
};

// All functions are for the environment's thread.
Napi::Value make_group_handle(Napi::Env, std::unique_ptr<GroupRank>);
// Null once the handle is closed. Throws RequestError (ERR_TYPE) for a value that is no such handle.
GroupRank* find_group_rank(const Napi::Value&);
// Throws as find_group_rank, and RequestError (ERR_DISPOSED) for a closed handle.
GroupRank& open_group_handle(const Napi::Value&);
// Gives back the threads of a rank. Ranks that are threads end their calls. A second close does nothing.
void close_group_handle(const Napi::Value&);

}  // namespace infcl::binding
