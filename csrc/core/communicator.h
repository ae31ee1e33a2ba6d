// Messages between the ranks of a group. The engine knows ranks only through this class: one rank alone,
// threads of one process, or processes under MPI. Every rank makes the same calls in the same order, on one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/errors.h"
#include "core/types.h"

namespace infcl {

struct ConstBytes {
  const void* data = nullptr;
  size_t size = 0;
};

struct Bytes {
  void* data = nullptr;
  size_t size = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Gathers `bytes` bytes of every rank into `all`, in rank order. No rank returns before all have called.
  virtual void all_gather(const void* mine, size_t bytes, void* all, const Control&) = 0;
  // The smallest number that any rank brings, on all ranks. No rank returns before all have called.
  virtual int32_t smallest(int32_t mine) = 0;
  // Begins to send `out` to the rank `distance` ahead, and to receive `in` from the rank as far behind. The
  // memory belongs to the exchange until end_exchange. Both ranks know the sizes.
  virtual void begin_exchange(int distance, ConstBytes out, Bytes in) = 0;
  // Waits for the oldest exchange that was begun. Throws Error (kRankFailed, kAborted).
  virtual void end_exchange(const Control&) = 0;
  // The calls of the other ranks end with this error.
  virtual void fail(const Error&) noexcept = 0;
};

}  // namespace infcl
