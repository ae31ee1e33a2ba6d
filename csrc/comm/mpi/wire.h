// Messages between ranks as MPI moves them: without its handles, and without any waiting. All calls of one
// wire come from one thread. Only the group's thread (group.h) uses a wire, and tests have a wire of their
// own.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace infcl::mpi {

// A function of the library has failed. The text names the function.
class WireError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Messages of one stream arrive in the order in which their sender sent them. Streams do not wait for each
// other.
enum class Stream { kData = 1, kNotices = 2 };

class Wire {
 public:
  static constexpr int kAnyRank = -1;

  virtual ~Wire() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Each of these starts a message and returns its number for `done`. The memory must stay until then.
  virtual int send(const void*, size_t bytes, int to, Stream) = 0;
  virtual int receive(void*, size_t bytes, int from, Stream) = 0;
  virtual int barrier() = 0;
  // Lets the library work. True once, when that message has ended, and the number is free for another one.
  virtual bool done(int message) = 0;

  // Ends the processes of all ranks. May return before this process ends.
  virtual void abort(int exit_code) = 0;
  // Returns when all ranks have called it. Some libraries hang here at times.
  virtual void finalize() = 0;
};

}  // namespace infcl::mpi
