// The JavaScript object for a mapping of a file. JavaScript never sees the memory itself: to write to a
// read-only mapping, or to transfer it to another thread, would end the process or copy the whole file.
// A finalizer, or an explicit release, gives up one reference. The last one, which may be that of a running
// call, unmaps the file.
#pragma once

#include <memory>
#include <vector>

#include "binding/napi_env.h"
#include "store/mapping.h"

namespace infcl::binding {

using Mappings = std::vector<std::shared_ptr<store::Mapping>>;

// All functions but the last two are for the environment's thread.
Napi::Value make_mapping_handle(Napi::Env, std::shared_ptr<store::Mapping>);
bool is_mapping_handle(const Napi::Value&);
// Throws RequestError: ERR_TYPE for a value that is no such handle, ERR_DISPOSED for a released handle.
const std::shared_ptr<store::Mapping>& open_mapping_handle(const Napi::Value&);
// A second release does nothing.
void release_mapping_handle(const Napi::Value&);

// Before a call: throws Error (ERR_STORE) where a file was changed since it was opened.
void check_mappings(const Mappings&);
// After a call: the same, once the files have what the call wrote.
void settle_mappings(const Mappings&);

}  // namespace infcl::binding
