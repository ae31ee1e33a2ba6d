// The part of a group that other threads call.
#include "comm/mpi/group.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/errors.h"

namespace infcl::mpi {

namespace {

using Seconds = std::chrono::duration<double>;

// How often a waiting thread looks at the abort flag of its call.
constexpr std::chrono::milliseconds kBetweenLooks{10};

[[noreturn]] void fail_rank(const std::string& text) { throw Error(ErrorCode::kRankFailed, "group", text); }

}  // namespace

std::shared_ptr<Group> Group::start(OpenWire open, Patience patience) {
  const std::shared_ptr<Group> group(new Group(patience));
  try {
    group->thread_ = std::thread([group, open] { group->run(open); });
  } catch (const std::system_error& e) {
    throw Error(ErrorCode::kOutOfMemory, "threads",
                std::string("cannot start the thread of a group: ") + e.what());
  }
  return group;
}

// The thread owns the group too, so the thread has ended, or ends after this line.
Group::~Group() {
  if (thread_.joinable()) thread_.detach();
}

void Group::wait_until_open(const Control& control) {
  std::unique_lock<std::mutex> lock(mutex_);
  const Clock::time_point begin = Clock::now();
  const double limit = std::max(patience_.timeout, patience_.begin);
  while (phase_ == Phase::kOpening) {
    if (control.aborted()) throw Error(ErrorCode::kAborted, "group", "the call was aborted");
    if (seconds_since(begin) > limit)
      fail_rank("MPI has not begun in " + std::to_string(static_cast<int64_t>(limit)) +
                " s: every rank that the launcher started must open the group");
    changed_.wait_for(lock, kBetweenLooks);
  }
  if (open_failure_) std::rethrow_exception(open_failure_);
}

std::shared_ptr<Operation> Group::start_operation(std::vector<Message> messages) {
  const auto operation = std::make_shared<Operation>(std::move(messages));
  const std::lock_guard<std::mutex> lock(mutex_);
  operation->number = ++operations_;
  if (phase_ == Phase::kOpen) {
    orders_.operations.push_back(operation);
    ordered_.notify_one();
  } else {
    operation->settled = true;
    operation->failure = failure_.empty() ? "the group was closed" : failure_;
  }
  return operation;
}

void Group::wait(const std::shared_ptr<Operation>& operation, const Control& control) {
  std::unique_lock<std::mutex> lock(mutex_);
  operation->awaited = true;
  operation->since = Clock::now();
  bool aborted = false;
  while (!operation->settled) {
    changed_.wait_for(lock, kBetweenLooks);
    if (aborted || operation->settled || !control.aborted()) continue;
    aborted = true;
    orders_.failure =
        name() + " aborted a call in the middle of exchange " + std::to_string(operation->number);
    ordered_.notify_one();
  }
  if (operation->failure.empty()) return;
  if (aborted) throw Error(ErrorCode::kAborted, "group", "the call was aborted");
  fail_rank(operation->failure);
}

void Group::fail(const std::string& text) noexcept {
  std::unique_lock<std::mutex> lock(mutex_);
  if (phase_ != Phase::kOpen || !failure_.empty()) return;
  orders_.failure = name() + ": " + text;
  ordered_.notify_one();
  // One second, since the library itself may hang: then nobody could be told anyway.
  changed_.wait_for(lock, std::chrono::seconds(1),
                    [this] { return !failure_.empty() || phase_ == Phase::kEnded; });
}

// Without a limit, since the other ranks may go on with their work.
Departure Group::close(const Control& control) {
  std::unique_lock<std::mutex> lock(mutex_);
  orders_.closing = true;
  ordered_.notify_one();
  while (phase_ < Phase::kEnding) {
    if (!failure_.empty()) return Departure::kFailed;
    if (control.aborted()) throw Error(ErrorCode::kAborted, "group", "the call was aborted");
    changed_.wait_for(lock, kBetweenLooks);
  }
  return await_end(lock);
}

Departure Group::leave(int exit_code) {
  std::unique_lock<std::mutex> lock(mutex_);
  orders_.exit_code = exit_code;
  ordered_.notify_one();
  changed_.wait(lock, [this] { return phase_ >= Phase::kEnding; });
  return await_end(lock);
}

Departure Group::await_end(std::unique_lock<std::mutex>& lock) {
  const auto ended = [this] { return phase_ == Phase::kEnded; };
  if (!changed_.wait_for(lock, Seconds(patience_.finalize), ended))
    return failure_.empty() ? Departure::kHangs : Departure::kFailed;
  return in_order_ ? Departure::kInOrder : Departure::kFailed;
}

void Group::abandon() {
  std::unique_lock<std::mutex> lock(mutex_);
  orders_.abandoned = true;
  ordered_.notify_one();
  // A thread in MPI_Init or MPI_Finalize cannot be stopped. It ends with the process.
  const bool ends =
      phase_ != Phase::kOpening && changed_.wait_for(lock, Seconds(patience_.farewell + patience_.finalize),
                                                     [this] { return phase_ == Phase::kEnded; });
  lock.unlock();
  if (ends)
    thread_.join();
  else
    thread_.detach();
}

int64_t Group::operations_begun() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return operations_;
}

void Group::set_phase(Phase phase) {
  const std::lock_guard<std::mutex> lock(mutex_);
  phase_ = phase;
  changed_.notify_all();
}

}  // namespace infcl::mpi
