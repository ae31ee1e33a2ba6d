// The engine's view of a group under MPI.
#pragma once

#include <deque>
#include <memory>

#include "comm/mpi/group.h"
#include "core/communicator.h"

namespace infcl::mpi {

class GroupCommunicator final : public Communicator {
 public:
  explicit GroupCommunicator(std::shared_ptr<Group> group) : group_(std::move(group)) {}

  int rank() const override { return group_->rank(); }
  int size() const override { return group_->size(); }
  void all_gather(const void* mine, size_t bytes, void* all, const Control&) override;
  int32_t smallest(int32_t mine) override;
  void begin_exchange(int distance, ConstBytes out, Bytes in) override;
  void end_exchange(const Control&) override;
  void fail(const Error& error) noexcept override;

 private:
  const std::shared_ptr<Group> group_;
  std::deque<std::shared_ptr<Operation>> begun_;  // exchanges, the oldest first
};

}  // namespace infcl::mpi
