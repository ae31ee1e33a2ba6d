// One operation of a group: messages to and from other ranks that start together. Every rank counts its
// operations, and operation n of one rank belongs to operation n of the others.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/communicator.h"

namespace infcl::mpi {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A message with one other rank. One of `out` and `in` has bytes.
struct Message {
  int rank = 0;
  ConstBytes out;
  Bytes in;
};

struct Operation {
  explicit Operation(std::vector<Message> all) : messages(std::move(all)) {
    for (const Message& m : messages) bytes_left += m.out.size + m.in.size;
  }

  const std::vector<Message> messages;
  int64_t number = 0;     // counts from 1
  size_t bytes_left = 0;  // for the group's thread alone

  // Guarded by the group's mutex. Once settled, the group's thread reads and writes no memory of the
  // messages.
  bool settled = false;
  std::string failure;      // empty: the operation has succeeded
  bool awaited = false;     // some thread waits
  Clock::time_point since;  // the begin of that wait
};

}  // namespace infcl::mpi
