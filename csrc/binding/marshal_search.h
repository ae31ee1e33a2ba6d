// Reads the request of a search. Checks everything that could lead an index out of its memory, although lib/
// has checked it before, with better messages.
#pragma once

#include "binding/marshal.h"
#include "core/search.h"

namespace infcl::binding {

// A search with the memory that it points into. Must be destroyed on the environment's thread.
struct MarshalledSearch {
  BackendChoice backend;
  SearchRequest request;
  Retained retained;
};

// Throws RequestError: ERR_TYPE, ERR_VALUE, ERR_DETACHED, ERR_DEVICE or ERR_SHAPE.
MarshalledSearch read_search_request(const Napi::Value&);

Napi::Object write_result(Napi::Env, const Stats&);

}  // namespace infcl::binding
