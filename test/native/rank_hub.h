// Ranks as threads of a test: a wire for each rank, over memory that all wires see. Messages are as strict as
// MPI's: a large one ends when it was received, and a receive that is too small is an error. A test can
// freeze a rank, and sees which ranks called abort.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/mpi/group_communicator.h"
#include "comm/mpi/wire.h"

namespace ranks {

using infcl::mpi::Stream;
using infcl::mpi::Wire;
using infcl::mpi::WireError;

class Hub {
 public:
  explicit Hub(int size) : size_(size), frozen_(static_cast<size_t>(size)), hangs_(false) {}

  std::unique_ptr<Wire> wire(int rank) { return std::make_unique<HubWire>(*this, rank); }
  // Nothing reaches or leaves a frozen rank, as after SIGSTOP.
  void freeze(int rank, bool frozen = true) { frozen_[static_cast<size_t>(rank)] = frozen; }
  void hang_in_finalize() { hangs_ = true; }
  void stop_hanging() { hangs_ = false; }
  // Codes by rank.
  std::map<int, int> aborted() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return aborted_;
  }

 private:
  static constexpr size_t kEager = 4096;  // bytes of messages that end before they are received

  struct Post {
    int number, from, to, stream;
    const char* out;
    char* in;
    size_t bytes;
    std::vector<char> copy;
  };

  class HubWire final : public Wire {
   public:
    HubWire(Hub& hub, int rank) : hub_(hub), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return hub_.size_; }
    int send(const void* data, size_t bytes, int to, Stream stream) override {
      return hub_.post(
          {0, rank_, to, static_cast<int>(stream), static_cast<const char*>(data), nullptr, bytes, {}});
    }
    int receive(void* data, size_t bytes, int from, Stream stream) override {
      return hub_.post(
          {0, from, rank_, static_cast<int>(stream), nullptr, static_cast<char*>(data), bytes, {}});
    }
    int barrier() override { return hub_.enter_barrier(); }
    bool done(int message) override { return hub_.done(rank_, message); }
    void abort(int code) override { hub_.abort(rank_, code); }
    void finalize() override {
      while (hub_.hangs_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }

   private:
    Hub& hub_;
    const int rank_;
  };

  int post(Post p) {
    const std::lock_guard<std::mutex> lock(mutex_);
    p.number = static_cast<int>(ended_.size());
    ended_.push_back(0);
    if (p.out && p.bytes <= kEager) {
      p.copy.assign(p.out, p.out + p.bytes);
      p.out = nullptr;
      ended_[static_cast<size_t>(p.number)] = 1;
    }
    const int number = p.number;
    (p.in ? receives_ : sends_).push_back(std::move(p));
    return number;
  }

  int enter_barrier() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_.push_back(0);
    barrier_.push_back(static_cast<int>(ended_.size()) - 1);
    if (static_cast<int>(barrier_.size()) == size_)
      for (const int number : barrier_) ended_[static_cast<size_t>(number)] = 1;
    return static_cast<int>(ended_.size()) - 1;
  }

  bool done(int rank, int message) {
    if (frozen_[static_cast<size_t>(rank)]) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    match();
    int& ended = ended_[static_cast<size_t>(message)];
    if (ended < 0) throw WireError("MPI_Test: message truncated");
    return ended == 1;
  }

  void match() {
    for (auto receive = receives_.begin(); receive != receives_.end();) {
      auto send = sends_.begin();
      while (send != sends_.end() && !fits(*send, *receive)) ++send;
      if (send == sends_.end()) {
        ++receive;
        continue;
      }
      const bool truncated = send->bytes > receive->bytes;
      if (!truncated) std::memcpy(receive->in, send->out ? send->out : send->copy.data(), send->bytes);
      ended_[static_cast<size_t>(receive->number)] = truncated ? -1 : 1;
      ended_[static_cast<size_t>(send->number)] = 1;
      sends_.erase(send);
      receive = receives_.erase(receive);
    }
  }

  bool fits(const Post& send, const Post& receive) const {
    return send.to == receive.to && send.stream == receive.stream &&
           (receive.from == Wire::kAnyRank || receive.from == send.from) &&
           !frozen_[static_cast<size_t>(send.from)] && !frozen_[static_cast<size_t>(send.to)];
  }

  void abort(int rank, int code) {
    const std::lock_guard<std::mutex> lock(mutex_);
    aborted_[rank] = code;
  }

  const int size_;
  std::deque<std::atomic<bool>> frozen_;
  std::atomic<bool> hangs_;
  std::mutex mutex_;
  std::vector<int> ended_;  // by message: 0 no, 1 yes, -1 with an error
  std::deque<Post> sends_, receives_;
  std::vector<int> barrier_;
  std::map<int, int> aborted_;
};

// A rank of a test.
struct Rank {
  std::shared_ptr<infcl::mpi::Group> group;
  infcl::mpi::GroupCommunicator communicator;
  int rank() const { return group->rank(); }
  int size() const { return group->size(); }
};

// Runs `body` on a thread for each rank, and then abandons the groups.
inline void run_ranks(Hub& hub, int size, infcl::mpi::Patience patience,
                      const std::function<void(Rank&)>& body) {
  std::vector<std::thread> threads;
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      const auto group = infcl::mpi::Group::start([&hub, r] { return hub.wire(r); }, patience);
      group->wait_until_open({});
      Rank rank{group, infcl::mpi::GroupCommunicator(group)};
      body(rank);
      group->abandon();
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace ranks
