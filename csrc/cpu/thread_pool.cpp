// Workers wait for the next generation of work; `run` waits for the workers.
#include "cpu/thread_pool.h"

#include <system_error>

#include "core/errors.h"

namespace infcl::cpu {

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  start_.notify_all();
  for (std::thread& t : workers_) t.join();
}

void ThreadPool::ensure(int threads) {
  try {
    while (static_cast<int>(workers_.size()) + 1 < threads) {
      const int index = static_cast<int>(workers_.size()) + 1;
      workers_.emplace_back([this, index, seen = generation_] { worker(index, seen); });
    }
  } catch (const std::system_error& e) {
    throw Error(ErrorCode::kOutOfMemory, "threads", std::string("cannot start a worker thread: ") + e.what());
  }
}

void ThreadPool::run(int threads, const std::function<void(int)>& work) {
  if (threads > 1) {
    std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    active_ = threads - 1;
    remaining_ = active_;
    ++generation_;
    start_.notify_all();
  }
  work(0);
  if (threads > 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return remaining_ == 0; });
  }
}

void ThreadPool::worker(int index, unsigned seen) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    start_.wait(lock, [&] { return quit_ || generation_ != seen; });
    if (quit_) return;
    seen = generation_;
    if (index > active_) continue;
    const std::function<void(int)>& work = *work_;
    lock.unlock();
    work(index);
    lock.lock();
    if (--remaining_ == 0) done_.notify_one();
  }
}

}  // namespace infcl::cpu
