// How a thread waits for another thread. First it stays on its processor, since most waits are shorter than
// a switch of threads. Then it lets other threads run. At last it sleeps for short times: where threads
// outnumber processors, the thread that is waited for needs a processor.
#pragma once

#include <chrono>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace infcl::cpu {

class Waiter {
 public:
  void wait() {
    ++rounds_;
    if (rounds_ < kSpins) {
      pause();
    } else if (rounds_ < kSpins + kYields) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

 private:
  static constexpr int kSpins = 20000;  // some hundred microseconds
  static constexpr int kYields = 200;
  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
  }

  int rounds_ = 0;
};

}  // namespace infcl::cpu
