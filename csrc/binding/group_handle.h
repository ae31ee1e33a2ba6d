// The JavaScript object for a group of ranks. A handle keeps its group, also after the group was closed:
// calls then say so.
#pragma once

#include <memory>

#include "binding/napi_env.h"
#include "comm/mpi/group.h"

namespace infcl::binding {

// Both are for the environment's thread.
Napi::Value make_group_handle(Napi::Env, std::shared_ptr<mpi::Group>);
// Throws RequestError (ERR_TYPE) for a value that is no such handle.
const std::shared_ptr<mpi::Group>& group_of(const Napi::Value&);

}  // namespace infcl::binding
