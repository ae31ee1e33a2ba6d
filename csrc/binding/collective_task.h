// A collective call as it crosses from JavaScript: which one, over which array, and what all ranks must agree
// on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "binding/group_handle.h"
#include "binding/napi_env.h"
#include "binding/request_reader.h"
#include "binding/task.h"

namespace infcl::binding {

// Errors: ERR_TYPE, ERR_SHAPE, ERR_DETACHED, as RequestReader has them.
std::unique_ptr<Task> read_collective(const RequestReader&, GroupRank&, std::shared_ptr<Retained>);

}  // namespace infcl::binding
