#include "binding/group_handle.h"

#include <utility>

#include "binding/failure.h"

namespace infcl::binding {

namespace {

constexpr napi_type_tag kTag = {0x2e85c1d97b404fa6, 0x9d36f08ea1c2735b};

using Handle = Napi::External<std::shared_ptr<mpi::Group>>;

}  // namespace

Napi::Value make_group_handle(Napi::Env env, std::shared_ptr<mpi::Group> group) {
  const auto finalize = [](Napi::Env, std::shared_ptr<mpi::Group>* forgotten) { delete forgotten; };
  const Handle external = Handle::New(env, new std::shared_ptr<mpi::Group>(std::move(group)), finalize);
  external.TypeTag(&kTag);
  return external;
}

const std::shared_ptr<mpi::Group>& group_of(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Handle>().CheckTypeTag(&kTag))
    throw RequestError("ERR_TYPE", "Expected a handle of a group of ranks");
  return *value.As<Handle>().Data();
}

}  // namespace infcl::binding
