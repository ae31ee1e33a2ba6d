// The group of a Node environment, and the thread on which its asynchronous calls wait. Calls run one after
// another, in the order in which JavaScript makes them. The group's own thread (comm/mpi/group.h) moves the
// messages.
#pragma once

#include <memory>
#include <utility>

#include "binding/call_runner.h"
#include "binding/napi_env.h"
#include "comm/mpi/group.h"

namespace infcl::binding {

class GroupLane {
 public:
  explicit GroupLane(Napi::Env env) : runner_(env) {}
  ~GroupLane() {
    runner_.stop();
    if (group_) group_->abandon();
  }

  CallRunner& runner() { return runner_; }
  // To be called on the runner's thread, once: a process has at most one group.
  void keep(std::shared_ptr<mpi::Group> group) { group_ = std::move(group); }

 private:
  std::shared_ptr<mpi::Group> group_;  // null before a group is open
  CallRunner runner_;
};

}  // namespace infcl::binding
