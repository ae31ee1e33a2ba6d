// Runs calls one after another on a thread of its own and settles their promises on the environment's thread.
// A libuv worker would not do, for two reasons. A call of minutes would block one of the four threads that
// file and DNS work needs. And Node waits for libuv work before it runs cleanup hooks, so worker.terminate()
// could not stop a running call.
//
// Public methods are for the environment's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "binding/failure.h"
#include "binding/napi_env.h"
#include "binding/task.h"

namespace infcl::binding {

class CallRunner {
 public:
  explicit CallRunner(Napi::Env env);
  ~CallRunner();
  CallRunner(const CallRunner&) = delete;
  CallRunner& operator=(const CallRunner&) = delete;

  // The promise is fulfilled with the task's result, or rejected with an error of to_js_error.
  Napi::Promise submit(std::unique_ptr<Task> task);

  // Stops, and gives everything back to an environment that goes on. No call may wait or run.
  void close();

  // Stops the running call at its next tile, drops the waiting calls and joins the thread. The promises of
  // all these calls stay pending, since the environment ends.
  void stop();

 private:
  struct Job {
    std::unique_ptr<Task> task;
    Napi::Promise::Deferred deferred;
    std::optional<Failure> failure;
  };

  void start();
  static void on_cleanup(void* self);
  void work();
  void settle_finished();
  static void settle(Napi::Env env, const Job& job);

  const Napi::Env env_;
  napi_threadsafe_function wake_ = nullptr;
  size_t pending_ = 0;  // promises not settled yet that keep the event loop alive
  bool ended_ = false;  // the environment has ended
  std::thread thread_;

  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::deque<std::unique_ptr<Job>> finished_;
  Task* running_ = nullptr;
  bool stopping_ = false;
};

}  // namespace infcl::binding
