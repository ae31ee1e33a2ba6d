#include "binding/mapping_handle.h"

#include <utility>

#include "binding/failure.h"

namespace infcl::binding {

namespace {

constexpr napi_type_tag kTag = {0x6d3f0b92c5e8417a, 0xb1f4927de06a3c58};

struct MappingHandle {
  std::shared_ptr<store::Mapping> mapping;  // null once released
};

using Handle = Napi::External<MappingHandle>;

MappingHandle& unwrap(const Napi::Value& value) {
  if (!is_mapping_handle(value)) throw RequestError("ERR_TYPE", "Expected a handle of a mapped file");
  return *value.As<Handle>().Data();
}

}  // namespace

Napi::Value make_mapping_handle(Napi::Env env, std::shared_ptr<store::Mapping> mapping) {
  const auto finalize = [](Napi::Env, MappingHandle* forgotten) { delete forgotten; };
  const Handle external = Handle::New(env, new MappingHandle{std::move(mapping)}, finalize);
  external.TypeTag(&kTag);
  return external;
}

bool is_mapping_handle(const Napi::Value& value) {
  return value.IsExternal() && value.As<Handle>().CheckTypeTag(&kTag);
}

const std::shared_ptr<store::Mapping>& open_mapping_handle(const Napi::Value& value) {
  const MappingHandle& handle = unwrap(value);
  if (!handle.mapping) throw RequestError("ERR_DISPOSED", "The store was disposed of");
  return handle.mapping;
}

void release_mapping_handle(const Napi::Value& value) { unwrap(value).mapping.reset(); }

void check_mappings(const Mappings& mappings) {
  for (const auto& mapping : mappings) mapping->check();
}

void settle_mappings(const Mappings& mappings) {
  for (const auto& mapping : mappings) {
    if (mapping->writable()) mapping->flush();
    mapping->check();
  }
}

}  // namespace infcl::binding
