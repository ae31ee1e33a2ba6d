#include "comm/thread_ring.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/abort.h"

namespace infcl::comm {

namespace {

// A message whose memory belongs to its sender. `taken` is set under the hub's mutex, once it was copied.
struct Message {
  ConstBytes bytes;
  bool taken = false;
};

// What all_gather collects. The last rank that comes completes it.
struct Meeting {
  Meeting(size_t ranks, size_t bytes) : all(ranks * bytes), came(ranks, false), bytes_of_each(bytes) {}
  std::vector<char> all;
  std::vector<bool> came;
  size_t bytes_of_each;
  size_t count = 0;
  bool complete() const { return count == came.size(); }
};

class Hub {
 public:
  explicit Hub(int ranks) : ranks_(ranks), queues_(static_cast<size_t>(ranks) * static_cast<size_t>(ranks)) {}

  int ranks() const { return ranks_; }

  void all_gather(int rank, ConstBytes mine, void* all, const Control& control) {
    std::unique_lock<std::mutex> lock(mutex_);
    throw_if_failed(lock);
    if (!meeting_) meeting_ = std::make_shared<Meeting>(static_cast<size_t>(ranks_), mine.size);
    const std::shared_ptr<Meeting> meeting = meeting_;
    const size_t at = static_cast<size_t>(rank);
    if (meeting->bytes_of_each != mine.size || meeting->came[at]) {
      fail_locked(Error(ErrorCode::kInternal, "group", "ranks meet with messages of different sizes"));
      throw_if_failed(lock);
    }
    std::memcpy(meeting->all.data() + at * mine.size, mine.data, mine.size);
    meeting->came[at] = true;
    if (++meeting->count == meeting->came.size()) {
      meeting_.reset();
      changed_.notify_all();
    }
    // Until all have come, an abort takes this rank back out of the meeting, as if it had not called.
    while (!meeting->complete()) {
      throw_if_failed(lock);
      if (control.aborted()) {
        meeting->came[at] = false;
        --meeting->count;
        throw_if_aborted(control);
      }
      wait(lock, control);
    }
    lock.unlock();
    std::memcpy(all, meeting->all.data(), meeting->all.size());
  }

  std::shared_ptr<Message> send(int from, int to, ConstBytes bytes) {
    auto message = std::make_shared<Message>(Message{bytes});
    const std::lock_guard<std::mutex> lock(mutex_);
    queue(from, to).push_back(message);
    changed_.notify_all();
    return message;
  }

  void receive(int from, int to, Bytes into, const Control& control) {
    std::shared_ptr<Message> message;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      await(lock, control, [&] { return !queue(from, to).empty(); });
      message = queue(from, to).front();
      queue(from, to).pop_front();
      if (message->bytes.size != into.size) {
        fail_locked(
            Error(ErrorCode::kInternal, "group", "a message has not the size that its receiver expects"));
        throw_if_failed(lock);
      }
      ++receiving_;
    }
    std::memcpy(into.data, message->bytes.data, into.size);
    const std::lock_guard<std::mutex> lock(mutex_);
    message->taken = true;
    --receiving_;
    changed_.notify_all();
  }

  void wait_until_taken(const Message& message, const Control& control) {
    std::unique_lock<std::mutex> lock(mutex_);
    await(lock, control, [&] { return message.taken; });
  }

  void fail(const Error& error) {
    std::unique_lock<std::mutex> lock(mutex_);
    fail_locked(error);
    changed_.wait(lock, [&] { return receiving_ == 0; });
  }

 private:
  // With an abort flag, a waiting rank looks at it so often.
  static constexpr std::chrono::milliseconds kBetweenLooks{5};

  std::deque<std::shared_ptr<Message>>& queue(int from, int to) {
    return queues_[static_cast<size_t>(from) * static_cast<size_t>(ranks_) + static_cast<size_t>(to)];
  }

  void wait(std::unique_lock<std::mutex>& lock, const Control& control) {
    if (control.words)
      changed_.wait_for(lock, kBetweenLooks);
    else
      changed_.wait(lock);
  }

  template <class F>
  void await(std::unique_lock<std::mutex>& lock, const Control& control, F ready) {
    for (;;) {
      throw_if_failed(lock);
      if (ready()) return;
      throw_if_aborted(control);
      wait(lock, control);
    }
  }

  void fail_locked(const Error& error) {
    if (!failure_) failure_ = error.what();
    changed_.notify_all();
  }

  // Who throws may free the memory of its messages. So copies that have begun must end first; no other
  // begins.
  void throw_if_failed(std::unique_lock<std::mutex>& lock) {
    if (!failure_) return;
    changed_.wait(lock, [&] { return receiving_ == 0; });
    throw Error(ErrorCode::kRankFailed, "group", *failure_);
  }

  const int ranks_;
  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::shared_ptr<Meeting> meeting_;  // that has not all ranks yet
  std::vector<std::deque<std::shared_ptr<Message>>> queues_;
  int receiving_ = 0;  // copies in progress
  std::optional<std::string> failure_;
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(std::shared_ptr<Hub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return hub_->ranks(); }

  void all_gather(const void* mine, size_t bytes, void* all, const Control& control) override {
    hub_->all_gather(rank_, {mine, bytes}, all, control);
  }

  int32_t smallest(int32_t mine) override {
    std::vector<int32_t> all(static_cast<size_t>(size()));
    all_gather(&mine, sizeof mine, all.data(), {});
    return *std::min_element(all.begin(), all.end());
  }

  void begin_exchange(int distance, ConstBytes out, Bytes in) override {
    Exchange exchange{(rank_ - distance + size()) % size(), in, nullptr};
    if (out.size > 0) exchange.sent = hub_->send(rank_, (rank_ + distance) % size(), out);
    begun_.push_back(std::move(exchange));
  }

  void end_exchange(const Control& control) override {
    const Exchange exchange = std::move(begun_.front());
    begun_.pop_front();
    if (exchange.in.size > 0) hub_->receive(exchange.from, rank_, exchange.in, control);
    if (exchange.sent) hub_->wait_until_taken(*exchange.sent, control);
  }

  void fail(const Error& error) noexcept override {
    try {
      hub_->fail(Error(ErrorCode::kRankFailed, "rank " + std::to_string(rank_), error.what()));
    } catch (...) {
      // Without memory for the text, the others wait for their own time-outs.
    }
  }

 private:
  struct Exchange {
    int from;
    Bytes in;
    std::shared_ptr<Message> sent;  // null: nothing to send
  };

  const std::shared_ptr<Hub> hub_;
  const int rank_;
  std::deque<Exchange> begun_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_ring(int ranks) {
  const auto hub = std::make_shared<Hub>(ranks);
  std::vector<std::unique_ptr<Communicator>> ring;
  for (int rank = 0; rank < ranks; ++rank) ring.push_back(std::make_unique<ThreadRank>(hub, rank));
  return ring;
}

}  // namespace infcl::comm
