// Threads that stay. `run` gives every worker one index and returns when all are done; the caller is worker
// 0, so a pool of one has no thread at all. Functions must not throw. One `run` at a time.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace infcl::cpu {

class ThreadPool {
 public:
  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Starts what is missing; keeps what is there. Throws when the system gives no more threads.
  void ensure(int threads);
  void run(int threads, const std::function<void(int)>& work);

 private:
  void worker(int index, unsigned seen);

  std::mutex mutex_;
  std::condition_variable start_, done_;
  std::vector<std::thread> workers_;
  const std::function<void(int)>* work_ = nullptr;
  unsigned generation_ = 0;
  int active_ = 0;     // workers that take part in this run
  int remaining_ = 0;  // of them, still at work
  bool quit_ = false;
};

}  // namespace infcl::cpu
