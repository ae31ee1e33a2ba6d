#include "binding/marshal_lists.h"

#include <string>

#include "binding/failure.h"

namespace infcl::binding {

namespace {

[[noreturn]] void refuse(const char* name, const std::string& expected) {
  throw RequestError("ERR_VALUE", "Expected " + expected + " for " + name);
}

}  // namespace

const int32_t* read_offsets(const RequestReader& in, const char* name, int64_t rows) {
  if (in.is_null(name)) return nullptr;
  const auto* offsets = static_cast<const int32_t*>(in.typed_array(name, napi_int32_array, rows + 1));
  if (offsets[0] != 0) refuse(name, "offsets from 0");
  for (int64_t i = 0; i < rows; ++i)
    if (offsets[i + 1] < offsets[i]) refuse(name, "offsets that do not fall");
  return offsets;
}

KeyLists read_key_lists(const RequestReader& in, const char* name, int64_t queries, int64_t keys) {
  if (in.is_null(name)) return {};
  const RequestReader object = in.object(name);
  KeyLists lists;
  lists.offsets = read_offsets(object, "offsets", queries);
  if (!lists.any()) refuse(name, "offsets");
  const int64_t count = lists.offsets[queries];
  lists.keys = static_cast<const int32_t*>(object.typed_array("keys", napi_int32_array, count));
  for (int64_t i = 0; i < queries; ++i) {
    int64_t least = 0;
    for (int64_t at = lists.offsets[i]; at < lists.offsets[i + 1]; ++at) {
      if (lists.keys[at] < least || lists.keys[at] >= keys)
        refuse(name, "ascending indices of keys, each below " + std::to_string(keys) + ",");
      least = int64_t{lists.keys[at]} + 1;
    }
  }
  return lists;
}

}  // namespace infcl::binding
