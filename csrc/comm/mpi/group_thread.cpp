// The group's thread: one turn after another until the group ends.
#include <algorithm>
#include <utility>

#include "comm/mpi/group.h"

namespace infcl::mpi {

namespace {

// Between polls while an operation runs. With 1 ms, MPICH moves half as many bytes per second; a poll without
// any rest takes a processor from the computation.
constexpr std::chrono::microseconds kRest{100};
// While none runs, only notices can arrive.
constexpr std::chrono::milliseconds kIdleRest{20};

// Of a group that was not finalized. The library may still use the memory of its messages.
struct Remains {
  std::unique_ptr<Wire> wire;
  std::unique_ptr<Pieces> pieces;
  std::unique_ptr<Notices> notices;
};

// No destructor ever runs: MPI_Abort of MPICH runs the process's destructors on the group's thread.
void keep_for_ever(Remains remains) {
  static std::mutex mutex;
  static auto* const all = new std::vector<Remains>;
  const std::lock_guard<std::mutex> lock(mutex);
  all->push_back(std::move(remains));
}

}  // namespace

void Group::run(const OpenWire& open_wire) {
  if (open(open_wire)) {
    for (bool moved = false;;) {
      const Orders orders = take_orders(moved);
      moved = false;
      try {
        moved = step(orders);
      } catch (const std::exception& e) {
        break_up(name() + ": " + e.what(), true);
      }
      if (depart(orders)) break;
    }
    if (!in_order_) keep_for_ever({std::move(wire_), std::move(pieces_), std::move(notices_)});
  }
  Orders late;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    phase_ = Phase::kEnded;
    std::swap(late, orders_);
    changed_.notify_all();
  }
  for (const auto& operation : late.operations)
    settle(*operation, failure_.empty() ? "the group was closed" : failure_);
}

bool Group::open(const OpenWire& open_wire) {
  try {
    wire_ = open_wire();
    rank_ = wire_->rank();
    size_ = wire_->size();
    pieces_ = std::make_unique<Pieces>(*wire_);
    notices_ = std::make_unique<Notices>(*wire_);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_failure_ = std::current_exception();
    return false;
  }
  set_phase(Phase::kOpen);
  return true;
}

// Does not rest while messages move: with some libraries a poll moves no more than some kilobytes.
Group::Orders Group::take_orders(bool moved) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!moved) {
    const auto rest = running_.empty() ? std::chrono::microseconds(kIdleRest) : kRest;
    ordered_.wait_for(lock, rest, [this] { return !orders_.empty(); });
  }
  return std::exchange(orders_, Orders());
}

bool Group::step(const Orders& orders) {
  if (orders.failure) break_up(*orders.failure, true);
  for (const auto& operation : orders.operations) begin(operation);
  const bool moved = !running_.empty() && pieces_->move();
  if (moved) {
    moved_at_ = Clock::now();
    enquiry_.reset();
    settle_finished();
  }
  while (const auto notice = notices_->receive()) handle(*notice);
  watch_deadline();
  return moved;
}

void Group::begin(const std::shared_ptr<Operation>& operation) {
  for (const Message& m : operation->messages) {
    const auto left = left_.find(m.rank);
    if (left == left_.end() || left->second >= operation->number) continue;
    break_up("rank " + std::to_string(m.rank) + " has ended and takes no part in exchange " +
                 std::to_string(operation->number),
             true);
  }
  if (!failure_.empty()) return settle(*operation, failure_);
  if (operation->bytes_left == 0) return settle(*operation, "");
  if (running_.empty()) moved_at_ = Clock::now();
  running_.push_back(operation);
  pieces_->add(operation);
}

void Group::settle(Operation& operation, const std::string& failure) {
  const std::lock_guard<std::mutex> lock(mutex_);
  operation.failure = failure;
  operation.settled = true;
  changed_.notify_all();
}

void Group::settle_finished() {
  const auto finished = [this](const std::shared_ptr<Operation>& operation) {
    if (operation->bytes_left > 0) return false;
    settle(*operation, "");
    return true;
  };
  running_.erase(std::remove_if(running_.begin(), running_.end(), finished), running_.end());
}

void Group::handle(const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::kNothing:
      break;
    case NoticeKind::kFailed:
      break_up(notice.text, false);
      break;
    case NoticeKind::kLeft:
      left_[notice.rank] = notice.operations;
      // Operations that the rank did take part in may still end.
      for (const auto& operation : running_) {
        const auto& all = operation->messages;
        const bool with_it =
            std::any_of(all.begin(), all.end(), [&](const Message& m) { return m.rank == notice.rank; });
        if (!with_it || operation->number <= notice.operations) continue;
        return break_up("rank " + std::to_string(notice.rank) + " has ended and takes no part in exchange " +
                            std::to_string(operation->number),
                        true);
      }
      break;
    case NoticeKind::kAsk: {
      Notice answer;
      answer.kind = NoticeKind::kAnswer;
      answer.rank = rank_;
      answer.operations = operations_begun();
      answer.waits = waits() ? 1 : 0;
      notices_->send(answer, notice.rank);
      break;
    }
    case NoticeKind::kAnswer:
      if (enquiry_) enquiry_->answer(notice.rank, {notice.operations, notice.waits != 0});
      break;
  }
}

bool Group::waits() {
  if (running_.empty()) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  return running_.front()->awaited;
}

void Group::watch_deadline() {
  if (running_.empty()) return;
  const Operation& oldest = *running_.front();
  Clock::time_point begin;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!oldest.awaited) return;  // the computation beside the exchange may take as long as it wants
    begin = std::max(oldest.since, moved_at_);
  }
  const double quiet = seconds_since(begin);
  if (!enquiry_ && quiet >= patience_.timeout) {
    // All ranks, as a rank of this operation may itself wait for one that takes no part in it.
    std::set<int> others;
    for (int other = 0; other < size_; ++other)
      if (other != rank_) others.insert(other);
    Notice ask;
    ask.kind = NoticeKind::kAsk;
    ask.rank = rank_;
    for (const int other : others) notices_->send(ask, other);
    enquiry_.emplace(oldest.number, std::move(others));
    asked_at_ = Clock::now();
  } else if (enquiry_ && seconds_since(asked_at_) >= patience_.answers) {
    break_up(enquiry_->verdict(rank_, quiet), true);
  }
}

// `failure_` changes on this thread alone, so this thread may read it without the lock.
void Group::break_up(const std::string& text, bool tell_others) {
  if (!failure_.empty()) return;
  pieces_->forget();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    failure_ = text.empty() ? "a rank failed" : text;
  }
  for (const auto& operation : running_) settle(*operation, failure_);
  changed_.notify_all();
  running_.clear();
  enquiry_.reset();
  if (!tell_others) return;
  try {
    notices_->send_to_others(Notice::failed(rank_, failure_));
  } catch (const WireError&) {
    // The others find out by their own deadlines.
  }
}

}  // namespace infcl::mpi
