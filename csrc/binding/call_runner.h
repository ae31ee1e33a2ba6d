// The one promise worker: runs calls one after another on a thread of its own and settles their promises on
// the environment's thread. Not a libuv worker, for two reasons: a call of minutes must not starve file and
// DNS work of its four threads, and Node waits for libuv work *before* it runs cleanup hooks, so that
// worker.terminate() could never tell a running call to stop.
//
// Public methods belong to the environment's thread.
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

  // Fulfilled with the task's result, or rejected with to_js_error's.
  Napi::Promise submit(std::unique_ptr<Task> task);

  // Stops the running call at its next tile, drops those that wait and joins the thread. Their promises stay
  // pending: the environment is going away.
  void stop();

 private:
  struct Job {
    std::unique_ptr<Task> task;
    Napi::Promise::Deferred deferred;
    std::optional<Failure> failure;
  };

  void start();
  void work();
  void settle_finished();
  static void settle(Napi::Env env, const Job& job);

  const Napi::Env env_;
  napi_threadsafe_function wake_ = nullptr;
  size_t pending_ = 0;  // promises not settled yet; while there are any, the event loop stays alive
  std::thread thread_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::deque<std::unique_ptr<Job>> finished_;
  Control running_;
  bool stopping_ = false;
};

}  // namespace infcl::binding
