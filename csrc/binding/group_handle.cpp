#include "binding/group_handle.h"

#include <utility>

#include "binding/failure.h"

namespace infcl::binding {

namespace {

constexpr napi_type_tag kTag = {0x3b5ce0d8914f4a62, 0xa7206f1d8be9c453};

struct GroupHandle {
  std::unique_ptr<GroupRank> rank;  // null once closed

  void close() {
    if (!rank) return;
    if (!rank->processes) rank->fail("the group was closed on this rank");
    rank->lane.runner().close();
    rank.reset();
  }
};

using Handle = Napi::External<GroupHandle>;

GroupHandle& unwrap(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Handle>().CheckTypeTag(&kTag))
    throw RequestError("ERR_TYPE", "Expected a handle of a group");
  return *value.As<Handle>().Data();
}

}  // namespace

Napi::Value make_group_handle(Napi::Env env, std::unique_ptr<GroupRank> rank) {
  const auto finalize = [](Napi::Env, GroupHandle* forgotten) {
    forgotten->close();
    delete forgotten;
  };
  auto* const made = new GroupHandle{std::move(rank)};
  const Handle external = Handle::New(env, made, finalize);
  external.TypeTag(&kTag);
  return external;
}

GroupRank* find_group_rank(const Napi::Value& value) { return unwrap(value).rank.get(); }

GroupRank& open_group_handle(const Napi::Value& value) {
  GroupRank* const rank = find_group_rank(value);
  if (!rank) throw RequestError("ERR_DISPOSED", "The group was closed");
  return *rank;
}

void close_group_handle(const Napi::Value& value) { unwrap(value).close(); }

}  // namespace infcl::binding
