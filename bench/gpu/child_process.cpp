#include "child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "clock.h"
#include "core/errors.h"

extern char** environ;

namespace infcl::bench {

namespace {

constexpr int kLongestWaitMs = 100;       // between two looks at the limit and at stop signals
constexpr double kSecondsAfterKill = 10;  // a process inside a driver may take long to end
constexpr size_t kLongestTellingLine = 200;

volatile std::sig_atomic_t stop_signal = 0;

[[noreturn]] void fail(const std::string& what, int error) {
  throw Error(ErrorCode::kInternal, "gpu-check", what + ": " + std::strerror(error));
}

// Passes output on, and keeps the line of it that tells most.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  ~Output() { close(fd_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Waits for some output, its end, or some milliseconds. False: nothing came.
  bool pass_on(int wait_ms) {
    pollfd poll_fd{ended_ ? -1 : fd_, POLLIN, 0};  // -1: waits only
    if (poll(&poll_fd, 1, ended_ ? 1 : wait_ms) <= 0) return false;
    std::array<char, 4096> bytes{};
    const ssize_t size = read(fd_, bytes.data(), bytes.size());
    ended_ = size <= 0;
    if (ended_) return false;
    std::fwrite(bytes.data(), 1, static_cast<size_t>(size), stdout);
    std::fflush(stdout);
    for (ssize_t i = 0; i < size; ++i) take(bytes[static_cast<size_t>(i)]);
    return true;
  }

  std::string telling_line() {
    take('\n');
    return failure_.empty() ? last_ : failure_;
  }

 private:
  void take(char c) {
    if (c != '\n') {
      if (line_.size() < kLongestTellingLine) line_ += c;
      return;
    }
    if (line_.empty()) return;
    const bool names_failure = line_.rfind("BAD", 0) == 0 || line_.find(".cpp:") != std::string::npos;
    if (failure_.empty() && names_failure) failure_ = line_;
    last_ = line_;
    line_.clear();
  }

  const int fd_;
  bool ended_ = false;
  std::string line_, failure_, last_;
};

// The other end of a pipe is its output and its error output.
pid_t start(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(output);
  if (error != 0) fail(arguments[0] + " does not start", error);
  return child;
}

void set_end(ChildEnd& end, int status) {
  end.how = WIFEXITED(status) ? ChildEnd::How::kExited : ChildEnd::How::kKilled;
  end.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { stop_signal = signal; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_was_asked() { return stop_signal != 0; }

ChildEnd run_child(const std::vector<std::string>& arguments, double limit_seconds) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe", errno);
  Output output(ends[0]);
  const double begin = now_seconds();
  const pid_t child = start(arguments, ends[1]);
  ChildEnd end;
  double killed_at = 0;
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
    const double left = begin + limit_seconds - now_seconds();
    if (killed_at == 0 && (left <= 0 || stop_was_asked())) {
      end.how = left <= 0 ? ChildEnd::How::kOverTime : ChildEnd::How::kStopped;
      killed_at = now_seconds();
      kill(-child, SIGKILL);
    }
    if (killed_at > 0 && now_seconds() - killed_at > kSecondsAfterKill)
      break;  // left behind, inside a driver
    output.pass_on(static_cast<int>(std::clamp(1e3 * left, 1., double{kLongestWaitMs})));
  }
  if (ended == child && end.how == ChildEnd::How::kExited) set_end(end, status);
  while (output.pass_on(0)) continue;
  end.seconds = now_seconds() - begin;
  end.telling_line = output.telling_line();
  return end;
}

void end_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) fail("cannot read /proc/self/exe", errno);
  return {path.data(), static_cast<size_t>(size)};
}

}  // namespace infcl::bench
