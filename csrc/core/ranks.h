// The other ranks of a call, as the engine sees them: sums over ranks, and errors that end a call on all
// ranks at the same step. A rank alone sums over itself and sends nothing.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <vector>

#include "core/communicator.h"
#include "core/field_agreement.h"

namespace infcl {

class Ranks {
 public:
  Ranks() = default;  // one rank alone
  explicit Ranks(Communicator& ring) : ring_(&ring) {}
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  bool alone() const { return size() == 1; }
  int rank() const { return ring_ ? ring_->rank() : 0; }
  int size() const { return ring_ ? ring_->size() : 1; }

  // Added in rank order, so that every rank has the same bits.
  double sum(double mine);
  double largest(double mine);

  // Waits until all ranks have come, each with its fields of the call. Only here may an abort take a rank
  // back, as the others do not know of its call yet. To be called with several ranks, or a ring of one.
  // Throws Error (kAborted, kRankFailed).
  FieldAgreement meet(const std::vector<Field>&, const Control&);
  // What every rank brings, in rank order.
  template <class T>
  std::vector<T> gather(const T& mine) {
    std::vector<T> all(static_cast<size_t>(size()));
    gather_bytes(&mine, sizeof mine, all.data());
    return all;
  }

  // Runs `work`. When it throws on any rank, this function throws on all: on a rank that failed its own
  // error, and kRankFailed on the others. No rank goes on before all have done their work.
  void together(const std::function<void()>& work);
  // The same with what became of work that is done.
  void settle(const std::exception_ptr& failure);
  // Ends a call whose options the ranks do not agree on, on all ranks.
  void leave() { others_wait_ = false; }

  // An error that the other ranks have no part in: tells them, or they would wait forever.
  void fail(const std::exception_ptr&) noexcept;

  void begin_exchange(int distance, ConstBytes out, Bytes in);
  void end_exchange();

  // How long this rank has waited for others, and how much it has sent to its neighbours.
  double waited_seconds() const { return waited_seconds_; }
  int64_t bytes_sent() const { return bytes_sent_; }

 private:
  // The lowest rank that failed, on all ranks; size() where none has.
  int first_failed(bool failed);
  void gather_bytes(const void* mine, size_t bytes, void* all);

  Communicator* ring_ = nullptr;
  bool others_wait_ = false;  // the others are in this call as well, and wait for what this rank does next
  double waited_seconds_ = 0;
  int64_t bytes_sent_ = 0;
};

// Calls f(others) with the vector of every other rank: the vectors go round once. An error of f ends the call
// on all.
template <class T, class F>
void for_each_guest(Ranks& ranks, std::vector<T> vector, F f) {
  const std::vector<int64_t> sizes = ranks.gather(static_cast<int64_t>(vector.size()));
  for (int step = 1; step < ranks.size(); ++step) {
    const int owner = (ranks.rank() - step + ranks.size()) % ranks.size();
    std::vector<T> arrived;
    ranks.together([&] { arrived.resize(static_cast<size_t>(sizes[static_cast<size_t>(owner)])); });
    ranks.begin_exchange(1, {vector.data(), vector.size() * sizeof(T)},
                         {arrived.data(), arrived.size() * sizeof(T)});
    ranks.end_exchange();
    vector.swap(arrived);
    ranks.together([&] { f(vector); });
  }
}

}  // namespace infcl
