// A program that is run to its end or to a limit of time. Its output is passed on. Over its limit it is
// killed, with all processes that it has started.
#pragma once

#include <string>
#include <vector>

namespace infcl::bench {

struct ChildEnd {
  // kOverTime and kStopped: we have killed it, for its limit, or since we were asked to end.
  enum class How {
    kExited,  // code: its exit status
    kKilled,  // code: the signal that ended it
    kOverTime,
    kStopped
  };
  How how = How::kExited;
  int code = 0;
  double seconds = 0;
  std::string telling_line;  // of its output: the first that names a failure, else the last
};

// From now on SIGINT and SIGTERM end the program that is run, and `stop_was_asked` is true.
void catch_stop_signals();
bool stop_was_asked();

// Runs arguments[0], a path, in a process group of its own. Throws Error when it does not start.
ChildEnd run_child(const std::vector<std::string>& arguments, double limit_seconds);

// In the program that is run: to be killed with the program that runs it.
void end_with_parent();

std::string own_path();

}  // namespace infcl::bench
