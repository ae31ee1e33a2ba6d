// A wire over the functions of an MPI library. One template serves all layouts (abi.h): a handle is an int or
// a pointer.
#pragma once

#include <atomic>
#include <string>
#include <type_traits>
#include <vector>

#include "comm/mpi/abi.h"
#include "comm/mpi/library.h"
#include "comm/mpi/wire.h"
#include "core/errors.h"

namespace infcl::mpi {

[[noreturn]] inline void refuse(const std::string& why) {
  throw Error(ErrorCode::kBackendUnavailable, "mpi", why);
}

inline void* find_symbol(const Library& library, const char* symbol) {
  void* const found = library.find(symbol);
  if (!found) refuse("the MPI library " + library.path() + " has no " + symbol + ": a newer one is needed");
  return found;
}

// Whether this process has begun MPI. A second library beside the first would mix up the symbols of both.
inline std::atomic<bool> has_begun{false};

template <class Handle>
class MpiWire final : public Wire {
 public:
  // Begins MPI in this process, on the thread that makes all later calls.
  MpiWire(const Library& library, const abi::Constants<Handle>& constants) : c_(constants) {
    load(library);
    int already = 0, provided = 0;
    check(f_.Initialized(&already), "MPI_Initialized");
    if (already || has_begun.exchange(true))
      refuse(
          "MPI can begin once in a process, and it has begun already: by an earlier group or by another "
          "addon");
    check(f_.InitThread(nullptr, nullptr, c_.funneled, &provided), "MPI_Init_thread");
    if (provided < c_.funneled) refuse("the MPI library " + library.path() + " does not support threads");
    // Errors are returned: by default they would end the job. Messages go over a communicator of infcl's own.
    f_.CommSetErrhandler(c_.world, c_.errors_return);
    check(f_.CommDup(c_.world, &comm_), "MPI_Comm_dup");
    f_.CommSetErrhandler(comm_, c_.errors_return);
    check(f_.CommRank(comm_, &rank_), "MPI_Comm_rank");
    check(f_.CommSize(comm_, &size_), "MPI_Comm_size");
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  int send(const void* data, size_t bytes, int to, Stream stream) override {
    return start("MPI_Isend", [&](Handle* request) {
      return f_.Isend(data, static_cast<int>(bytes), c_.byte, to, static_cast<int>(stream), comm_, request);
    });
  }
  int receive(void* data, size_t bytes, int from, Stream stream) override {
    const int source = from == kAnyRank ? c_.any_source : from;
    return start("MPI_Irecv", [&](Handle* request) {
      return f_.Irecv(data, static_cast<int>(bytes), c_.byte, source, static_cast<int>(stream), comm_,
                      request);
    });
  }
  int barrier() override {
    return start("MPI_Ibarrier", [&](Handle* request) { return f_.Ibarrier(comm_, request); });
  }

  bool done(int message) override {
    int flag = 0;
    const int result = f_.Test(&requests_[static_cast<size_t>(message)], &flag, c_.status_ignore);
    if (result != 0 || flag) free_.push_back(message);
    check(result, "MPI_Test");
    return flag != 0;
  }

  void abort(int exit_code) override { f_.Abort(c_.world, exit_code); }
  void finalize() override { check(f_.Finalize(), "MPI_Finalize"); }

 private:
  void load(const Library& library) {
    const auto find = [&](auto& function, const char* symbol) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(find_symbol(library, symbol));
    };
    find(f_.Initialized, "MPI_Initialized");
    find(f_.InitThread, "MPI_Init_thread");
    find(f_.Finalize, "MPI_Finalize");
    find(f_.Abort, "MPI_Abort");
    find(f_.CommRank, "MPI_Comm_rank");
    find(f_.CommSize, "MPI_Comm_size");
    find(f_.CommDup, "MPI_Comm_dup");
    find(f_.CommSetErrhandler, "MPI_Comm_set_errhandler");
    find(f_.Isend, "MPI_Isend");
    find(f_.Irecv, "MPI_Irecv");
    find(f_.Ibarrier, "MPI_Ibarrier");
    find(f_.Test, "MPI_Test");
    find(f_.ErrorString, "MPI_Error_string");
  }

  void check(int result, const char* function) const {
    if (result == 0) return;
    char text[abi::kLongestText] = "";
    int length = 0;
    f_.ErrorString(result, text, &length);
    throw WireError(std::string(function) + ": " + text);
  }

  template <class Start>
  int start(const char* function, Start f) {
    Handle request = c_.request_null;
    check(f(&request), function);
    if (free_.empty()) {
      requests_.push_back(request);
      return static_cast<int>(requests_.size()) - 1;
    }
    const int message = free_.back();
    free_.pop_back();
    requests_[static_cast<size_t>(message)] = request;
    return message;
  }

  abi::Functions<Handle> f_{};
  const abi::Constants<Handle> c_;
  Handle comm_{};
  int rank_ = 0;
  int size_ = 1;
  std::vector<Handle> requests_;  // by number of a message
  std::vector<int> free_;         // numbers
};

}  // namespace infcl::mpi
