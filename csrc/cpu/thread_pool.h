// Threads that stay between calls. `run` gives every worker an index and returns when all workers are done.
// The caller is worker 0, so a pool of one starts no thread. Work must not throw. One `run` at a time.
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

  // Starts the threads that are missing. Throws Error (kOutOfMemory) when the system refuses one.
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
  int remaining_ = 0;  // active workers that are not done yet
  bool quit_ = false;
};

}  // namespace infcl::cpu
