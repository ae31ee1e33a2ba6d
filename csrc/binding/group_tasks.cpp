#include "binding/group_tasks.h"

#include <utility>

#include "comm/mpi/group_communicator.h"
#include "core/agreement.h"

namespace infcl::binding {

namespace {

class OpenTask final : public Task {
 public:
  OpenTask(GroupLane& lane, std::string library, mpi::Launcher launcher, double timeout, Settings settings)
      : lane_(lane),
        library_(std::move(library)),
        launcher_(std::move(launcher)),
        settings_(std::move(settings)) {
    patience_.timeout = timeout;
  }

  void run() override {
    facts_ = mpi::find_library(library_, launcher_);
    const auto group = mpi::Group::start(
        [library = library_, launcher = launcher_] { return mpi::open_wire(library, launcher); }, patience_);
    try {
      group->wait_until_open(control());
    } catch (...) {
      group->abandon();
      throw;
    }
    lane_.keep(group);
    group_ = group;
  }
  Napi::Value result(Napi::Env env) const override {
    Napi::Object out = write_facts(env, facts_);
    auto rank =
        std::make_unique<GroupRank>(env, std::make_unique<mpi::GroupCommunicator>(group_), group_, settings_);
    define(out, "handle", make_group_handle(env, std::move(rank)));
    define(out, "rank", group_->rank());
    define(out, "size", group_->size());
    return out;
  }
  Control control() const override { return {words_}; }

 private:
  GroupLane& lane_;
  const std::string library_;
  const mpi::Launcher launcher_;
  const Settings settings_;
  mpi::Patience patience_;
  mpi::LibraryFacts facts_;
  std::shared_ptr<mpi::Group> group_;
  mutable int32_t words_[Control::kWords] = {};
};

class CloseTask final : public Task {
 public:
  explicit CloseTask(GroupRank& rank) : processes_(rank.processes) {}
  void run() override { processes_->close(control()); }
  Napi::Value result(Napi::Env env) const override { return env.Undefined(); }
  Control control() const override { return {words_}; }

 private:
  const std::shared_ptr<mpi::Group> processes_;
  mutable int32_t words_[Control::kWords] = {};
};

class RefusalTask final : public Task {
 public:
  RefusalTask(GroupRank& rank, std::string why, bool started)
      : rank_(rank), why_(std::move(why)), started_(started) {}
  void run() override {
    const bool awaited = !started_ || rank_.awaited;
    rank_.awaited = false;
    if (awaited) refuse_call(why_, *rank_.communicator, control());
  }
  Napi::Value result(Napi::Env env) const override { return env.Undefined(); }
  // So that a thread which waits here ends with its environment.
  Control control() const override { return {words_}; }
  void interrupt() override { rank_.fail("its Node environment ended"); }
  // The others may never come.
  bool keeps_alive() const override { return false; }

 private:
  GroupRank& rank_;
  const std::string why_;
  const bool started_;
  mutable int32_t words_[Control::kWords] = {};
};

}  // namespace

Napi::Object write_facts(Napi::Env env, const mpi::LibraryFacts& facts) {
  Napi::Object out = Napi::Object::New(env);
  define(out, "library", facts.path);
  define(out, "layout", facts.layout);
  define(out, "version", facts.version);
  return out;
}

std::unique_ptr<Task> open_task(GroupLane& lane, std::string library, mpi::Launcher launcher, double timeout,
                                Settings settings) {
  return std::make_unique<OpenTask>(lane, std::move(library), std::move(launcher), timeout,
                                    std::move(settings));
}

std::unique_ptr<Task> close_task(GroupRank& rank) { return std::make_unique<CloseTask>(rank); }

std::unique_ptr<Task> refusal_task(GroupRank& rank, std::string why, bool started) {
  return std::make_unique<RefusalTask>(rank, std::move(why), started);
}

}  // namespace infcl::binding
