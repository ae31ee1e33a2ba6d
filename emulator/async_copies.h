// cp.async under way, of one warp. The destination holds NaN from issue until the last moment the program
// allows, so a read that does not wait is seen.
#pragma once

#include <cstdint>
#include <vector>

namespace infcl::emulator {

class Warp;

class AsyncCopies {
 public:
  // A copy as its lane issued it.
  struct Copy {
    uint32_t shared_offset;
    uint8_t* to;
    const uint8_t* from;
    uint32_t bytes, source_bytes;
    uint64_t group;
    uint8_t lane;
  };

  void reset() {
    copies_.clear();
    for (uint64_t& g : group_) g = 0;
  }
  void issue(Copy copy);  // of copy.lane, into its group not yet committed
  void commit(uint32_t mask);
  void wait(Warp& warp, uint32_t mask, uint64_t pending_groups);  // all but a lane's latest groups are done
  void wait_all(Warp& warp, uint32_t mask);                       // also what was not committed
  bool idle() const { return copies_.empty(); }

 private:
  std::vector<Copy> copies_;
  uint64_t group_[32] = {};  // of each lane: the one not yet committed
};

}  // namespace infcl::emulator
