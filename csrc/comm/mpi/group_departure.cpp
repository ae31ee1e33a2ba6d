// How a rank leaves its group.
//
// In good order, a rank tells the others after how many operations it leaves, and waits for them before it
// finalizes MPI. MPI_Finalize would wait for open messages for ever, so a broken group ends by MPI_Abort,
// which ends the processes of all ranks.
#include "comm/mpi/group.h"

namespace infcl::mpi {

namespace {

constexpr std::chrono::milliseconds kRest{1};

}  // namespace

bool Group::depart(const Orders& orders) {
  if (orders.abandoned) {
    break_up(name() + ": its thread of JavaScript ended without a call of close()", true);
    linger(patience_.farewell);
    return true;
  }
  if (orders.closing && leave_in_order()) return true;
  if (!orders.exit_code) return false;
  const int code = *orders.exit_code;
  if (code == 0 && !orders.closing && leave_in_order()) return true;
  const bool own_failure = failure_.empty();
  if (own_failure) {
    const std::string where =
        running_.empty() ? "" : " in exchange " + std::to_string(running_.front()->number);
    break_up(name() + " ended with exit code " + std::to_string(code) + where, true);
  }
  // The rank that failed first shall end the job, with its code: the launcher then shows that code.
  linger(own_failure ? patience_.farewell : 2 * patience_.farewell);
  set_phase(Phase::kEnding);
  wire_->abort(code != 0 ? code : 1);
  return true;
}

bool Group::leave_in_order() {
  if (!failure_.empty() || !running_.empty()) return false;
  try {
    Notice left;
    left.kind = NoticeKind::kLeft;
    left.rank = rank_;
    left.operations = operations_begun();
    notices_->send_to_others(left);
    const int barrier = wire_->barrier();
    while (!wire_->done(barrier)) {
      while (const auto notice = notices_->receive()) handle(*notice);
      if (!failure_.empty()) return false;
      std::unique_lock<std::mutex> lock(mutex_);
      ordered_.wait_for(lock, kRest, [this] { return orders_.abandoned; });
      if (orders_.abandoned) return false;
    }
    set_phase(Phase::kEnding);
    notices_->close();
    wire_->finalize();
    in_order_ = true;
    return true;
  } catch (const WireError& e) {
    break_up(name() + ": " + e.what(), true);
    return false;
  }
}

// Lets notices reach the other ranks.
void Group::linger(double seconds) {
  const Clock::time_point begin = Clock::now();
  try {
    while (seconds_since(begin) < seconds) {
      static_cast<void>(notices_->receive());
      std::this_thread::sleep_for(kRest);
    }
  } catch (const WireError&) {
    // The library does not work any more, so nobody can be told.
  }
}

}  // namespace infcl::mpi
