// All ranks that a launcher started, as one of them sees them. A thread of the group's own makes every call
// of the wire, from the first to the last, so MPI_THREAD_FUNNELED suffices. Without polls a message does not
// move, so the thread polls while operations run. It also watches deadlines, and exchanges notices with the
// other ranks.
//
// What a group promises while this process lives: an operation that is waited for settles with its bytes or
// with an error that names a rank, at the latest when nothing has moved for `timeout` and the others have
// been asked.
//
// After a failure the group is broken for good: messages are open in the library. Every later operation has
// the text of the failure.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "comm/mpi/enquiry.h"
#include "comm/mpi/notices.h"
#include "comm/mpi/operation.h"
#include "comm/mpi/pieces.h"
#include "comm/mpi/wire.h"

namespace infcl::mpi {

// All in seconds.
struct Patience {
  double timeout = 60;   // with an operation of which no byte moves
  double answers = 0.5;  // with ranks that were asked where they are
  double farewell = 1;   // after a failure, in which the other ranks can print their errors
  double finalize = 5;   // with an MPI_Finalize or MPI_Abort that hangs
  double begin = 60;     // with an MPI_Init that waits for other ranks; at least the timeout
};

enum class Departure {
  kInOrder,  // MPI was finalized
  kFailed,   // the group is broken, and MPI cannot be finalized
  kHangs     // the library has not returned
};

class Group {
 public:
  using OpenWire = std::function<std::unique_ptr<Wire>()>;

  // Starts the thread, which opens the wire. The thread is an owner of the group too; abandon() ends it.
  static std::shared_ptr<Group> start(OpenWire, Patience);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Throws what opening the wire has thrown, or Error: kRankFailed where MPI does not begin in time,
  // kAborted.
  void wait_until_open(const Control&);
  // Once the wire is open.
  int rank() const { return rank_; }
  int size() const { return size_; }

  // The memory of the messages belongs to the operation until wait() returns or throws.
  std::shared_ptr<Operation> start_operation(std::vector<Message>);
  // Throws Error: kRankFailed, or kAborted, which breaks the group.
  void wait(const std::shared_ptr<Operation>&, const Control&);

  // Breaks the group: what runs here and elsewhere ends with "rank 1: " and this text. On return, no
  // operation uses its memory.
  void fail(const std::string& text) noexcept;

  // Waits until all ranks leave, then finalizes MPI. A broken group stays as it is. Throws Error (kAborted).
  Departure close(const Control&);
  // The same at the end of the process. Ends all ranks where this one ends with another code than 0, in the
  // middle of an operation, or with a broken group.
  Departure leave(int exit_code);
  // Ends the thread without finalizing MPI; breaks the group where it is still open. To be called at last,
  // once.
  void abandon();

 private:
  enum class Phase { kOpening, kOpen, kEnding, kEnded };  // kEnding: in MPI_Finalize or MPI_Abort

  // What other threads want of the group's thread.
  struct Orders {
    std::vector<std::shared_ptr<Operation>> operations;
    std::optional<std::string> failure;
    bool closing = false;
    std::optional<int> exit_code;
    bool abandoned = false;

    bool empty() const { return operations.empty() && !failure && !closing && !exit_code && !abandoned; }
  };

  explicit Group(Patience patience) : patience_(patience) {}

  // For any thread.
  std::string name() const { return "rank " + std::to_string(rank_); }
  Departure await_end(std::unique_lock<std::mutex>&);

  // For the group's thread.
  void run(const OpenWire&);
  bool open(const OpenWire&);
  Orders take_orders(bool moved);
  bool step(const Orders&);
  void begin(const std::shared_ptr<Operation>&);
  void settle(Operation&, const std::string& failure);
  void settle_finished();
  void handle(const Notice&);
  // Whether a thread of this rank waits for an operation that has not ended.
  bool waits();
  void watch_deadline();
  void break_up(const std::string& text, bool tell_others);
  // True: the thread ends.
  bool depart(const Orders&);
  bool leave_in_order();
  void linger(double seconds);
  void set_phase(Phase);
  int64_t operations_begun();

  const Patience patience_;
  int rank_ = 0;
  int size_ = 1;

  // The group's thread alone uses these.
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Pieces> pieces_;
  std::unique_ptr<Notices> notices_;
  std::deque<std::shared_ptr<Operation>> running_;
  std::map<int, int64_t> left_;  // operations of ranks that have ended in good order
  Clock::time_point moved_at_;
  std::optional<Enquiry> enquiry_;
  Clock::time_point asked_at_;
  bool in_order_ = false;

  std::mutex mutex_;  // guards the members below
  std::condition_variable ordered_, changed_;
  Orders orders_;
  Phase phase_ = Phase::kOpening;
  std::exception_ptr open_failure_;
  std::string failure_;  // empty: the group is whole
  int64_t operations_ = 0;

  std::thread thread_;
};

}  // namespace infcl::mpi
