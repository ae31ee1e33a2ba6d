#include "binding/call_runner.h"

#include <string>
#include <system_error>
#include <utility>

#include "core/errors.h"

namespace infcl::binding {

namespace {

void request_abort(const Control& control) {
  if (control.words) __atomic_store_n(control.words + Control::kAbort, 1, __ATOMIC_RELAXED);
}

}  // namespace

CallRunner::CallRunner(Napi::Env env) : env_(env) {}

CallRunner::~CallRunner() { stop(); }

Napi::Promise CallRunner::submit(std::unique_ptr<Task> task) {
  if (!wake_) start();
  auto job = std::make_unique<Job>(Job{std::move(task), Napi::Promise::Deferred::New(env_), std::nullopt});
  const Napi::Promise promise = job->deferred.Promise();
  if (job->task->keeps_alive() && pending_++ == 0) napi_ref_threadsafe_function(env_, wake_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return promise;
}

void CallRunner::start() {
  const auto on_wake = [](napi_env env, napi_value, void* self, void*) {
    // Without an environment, Node is ending it, and stop() has already dropped every job.
    if (env) static_cast<CallRunner*>(self)->settle_finished();
  };
  const Napi::String name = Napi::String::New(env_, "infcl");
  napi_threadsafe_function wake = nullptr;
  if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, on_wake,
                                      &wake) != napi_ok ||
      napi_unref_threadsafe_function(env_, wake) != napi_ok)
    throw Napi::Error::New(env_);
  // Node runs the newest hook first. So this hook runs before the thread-safe function's own hook, which
  // makes the function unusable.
  if (napi_add_env_cleanup_hook(env_, on_cleanup, this) != napi_ok) throw Napi::Error::New(env_);
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error& e) {
    // Undo everything, so that the next call tries again instead of waiting for a thread that does not exist.
    napi_remove_env_cleanup_hook(env_, on_cleanup, this);
    napi_release_threadsafe_function(wake, napi_tsfn_abort);
    throw Error(ErrorCode::kOutOfMemory, "threads", std::string("cannot start the call thread: ") + e.what());
  }
  wake_ = wake;  // the thread reads it later: under the lock, after its first call
}

void CallRunner::on_cleanup(void* self) {
  static_cast<CallRunner*>(self)->ended_ = true;
  static_cast<CallRunner*>(self)->stop();
}

void CallRunner::close() {
  stop();
  if (!wake_ || ended_) return;
  napi_remove_env_cleanup_hook(env_, on_cleanup, this);
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  wake_ = nullptr;
}

void CallRunner::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    std::unique_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = job->task.get();
    lock.unlock();
    try {
      job->task->run();
    } catch (...) {
      job->failure = describe(std::current_exception());
    }
    lock.lock();
    running_ = nullptr;
    finished_.push_back(std::move(job));
    // Under the lock, so that stop() cannot return before this line: after stop() the function is gone.
    if (!stopping_) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
}

void CallRunner::settle_finished() {
  std::deque<std::unique_ptr<Job>> finished;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finished.swap(finished_);
  }
  for (const auto& job : finished) {
    if (job->task->keeps_alive() && --pending_ == 0) napi_unref_threadsafe_function(env_, wake_);
    settle(env_, *job);
  }
}

void CallRunner::settle(Napi::Env env, const Job& job) {
  const Napi::HandleScope scope(env);
  try {
    if (job.failure)
      job.deferred.Reject(to_js_error(env, *job.failure).Value());
    else
      job.deferred.Resolve(job.task->result(env));
  } catch (const Napi::Error&) {
    // Only a terminating environment refuses to settle a promise, and no code can read the promise then.
  }
}

void CallRunner::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (running_) {
      request_abort(running_->control());
      running_->interrupt();
    }
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  // Jobs have references to JavaScript objects, so they must go on the environment's thread and before
  // its end.
  waiting_.clear();
  finished_.clear();
}

}  // namespace infcl::binding
