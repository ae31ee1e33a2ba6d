// Work of a rank beside losses and collective calls: to open a group of processes, to close it, and to take
// the place of a call that this rank does not make.
#pragma once

#include <memory>
#include <string>

#include "binding/group_handle.h"
#include "binding/group_lane.h"
#include "binding/napi_env.h"
#include "binding/task.h"
#include "comm/mpi/find.h"
#include "comm/mpi/launcher.h"

namespace infcl::binding {

Napi::Object write_facts(Napi::Env, const mpi::LibraryFacts&);

// Resolves to NativeGroup.
std::unique_ptr<Task> open_task(GroupLane&, std::string library, mpi::Launcher, double timeout, Settings);
// Waits for the other ranks.
std::unique_ptr<Task> close_task(GroupRank&);
// Takes the place of a call, until all ranks have come. `started`: the call reached native code, which knows
// whether the others still wait.
std::unique_ptr<Task> refusal_task(GroupRank&, std::string why, bool started);

}  // namespace infcl::binding
