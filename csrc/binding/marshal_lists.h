// Reads the lists of a request that are in compressed sparse rows. Native indices rely on every number in
// them, so each one is checked, although lib/ has checked it before.
#pragma once

#include <cstdint>

#include "binding/request_reader.h"
#include "core/key_lists.h"

namespace infcl::binding {

// [rows + 1] offsets that start at 0 and do not fall. Null where the property is null. Throws RequestError:
// ERR_VALUE, or as RequestReader.
const int32_t* read_offsets(const RequestReader&, const char* name, int64_t rows);

// Lists of indices below `keys`, one list for each query, ascending and without a repetition. No lists
// where the property is null. Throws as read_offsets.
KeyLists read_key_lists(const RequestReader&, const char* name, int64_t queries, int64_t keys);

}  // namespace infcl::binding
