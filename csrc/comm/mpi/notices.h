// Short messages about the ranks themselves, on a stream of their own: who failed, who left, who is missing.
// A receive from any rank is always open, so notices arrive while no operation runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/mpi/wire.h"

namespace infcl::mpi {

enum class NoticeKind : int32_t {
  kNothing,  // to oneself: completes the open receive before the end
  kFailed,   // to all: `text` ends what runs, and all later operations
  kLeft,     // to all: the rank ends in good order, after `operations` operations
  kAsk,      // to all: where are you? An operation does not move
  kAnswer    // the rank has begun `operations` operations, and waits for the last one or not
};

// The same bytes on all machines of a job: MPI jobs on machines of different byte order are not supported.
struct Notice {
  NoticeKind kind = NoticeKind::kNothing;
  int32_t rank = 0;  // the sender
  int64_t operations = 0;
  int32_t waits = 0;  // 1: for messages of others, 0: it computes, or calls nothing
  char text[492] = "";

  static Notice failed(int rank, const std::string& text);
};
static_assert(sizeof(Notice) == 512, "all builds of infcl must agree on the bytes of a notice");

class Notices {
 public:
  explicit Notices(Wire& wire) : wire_(wire) { listen(); }

  void send(const Notice&, int to);
  void send_to_others(const Notice&);
  // The next notice that has arrived, if any. Lets the library work. Throws WireError.
  std::optional<Notice> receive();
  // Whether all that were sent have left this process.
  bool all_sent();
  // Ends the open receive. To be called once, before the wire is finalized.
  void close();

 private:
  struct Sent {
    std::unique_ptr<Notice> notice;
    int message;
  };

  void listen();

  Wire& wire_;
  std::unique_ptr<Notice> incoming_ = std::make_unique<Notice>();
  int listening_ = 0;  // number of the open receive
  std::vector<Sent> sent_;
};

}  // namespace infcl::mpi
