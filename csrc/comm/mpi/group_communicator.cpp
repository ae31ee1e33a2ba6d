#include "comm/mpi/group_communicator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "core/errors.h"

namespace infcl::mpi {

// The messages cannot be taken back, so an abort waits until all ranks have come.
void GroupCommunicator::all_gather(const void* mine, size_t bytes, void* all, const Control&) {
  char* const into = static_cast<char*>(all);
  std::vector<Message> messages;
  for (int other = 0; other < size(); ++other) {
    char* const place = into + static_cast<size_t>(other) * bytes;
    if (other == rank()) {
      if (bytes > 0 && place != mine) std::memcpy(place, mine, bytes);
      continue;
    }
    messages.push_back({other, {mine, bytes}, {}});
    messages.push_back({other, {}, {place, bytes}});
  }
  group_->wait(group_->start_operation(std::move(messages)), {});
}

// In rounds, as in a dissemination barrier (Hensgen, Finkel, Manber 1988). Before a round of distance d, a
// rank knows the smallest number of itself and the d - 1 ranks behind. It hears from up to seven ranks at
// multiples of d behind, so afterwards it knows of eight times as many. Up to eight ranks need one round, and
// 1,024 ranks four, with at most 7 messages each instead of 1,023. A number that arrives on two ways does no
// harm to a minimum.
int32_t GroupCommunicator::smallest(int32_t mine) {
  constexpr int kRadix = 8;
  int32_t smallest = mine;
  for (int64_t distance = 1; distance < size(); distance *= kRadix) {
    const int32_t known = smallest;
    std::array<int32_t, kRadix> heard;
    std::vector<Message> messages;
    for (int k = 1; k < kRadix && k * distance < size(); ++k) {
      const int step = static_cast<int>(k * distance);
      int32_t& arriving = heard[static_cast<size_t>(k)];
      messages.push_back({(rank() + step) % size(), {&known, sizeof known}, {}});
      messages.push_back({(rank() - step + size()) % size(), {}, {&arriving, sizeof arriving}});
    }
    const size_t partners = messages.size() / 2;
    group_->wait(group_->start_operation(std::move(messages)), {});
    for (size_t k = 1; k <= partners; ++k) smallest = std::min(smallest, heard[k]);
  }
  return smallest;
}

void GroupCommunicator::begin_exchange(int distance, ConstBytes out, Bytes in) {
  const int ahead = ((rank() + distance) % size() + size()) % size();
  const int behind = ((rank() - distance) % size() + size()) % size();
  std::vector<Message> messages;
  if (ahead == rank()) {
    if (in.size > 0) std::memcpy(in.data, out.data, in.size);
  } else {
    messages = {{ahead, out, {}}, {behind, {}, in}};
  }
  begun_.push_back(group_->start_operation(std::move(messages)));
}

void GroupCommunicator::end_exchange(const Control& control) {
  if (begun_.empty()) throw Error(ErrorCode::kInternal, "group", "an exchange ends that was not begun");
  const std::shared_ptr<Operation> oldest = std::move(begun_.front());
  begun_.pop_front();
  group_->wait(oldest, control);
}

void GroupCommunicator::fail(const Error& error) noexcept { group_->fail(error.what()); }

}  // namespace infcl::mpi
