#include "comm/mpi/group_communicator.h"

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
