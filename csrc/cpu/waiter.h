// How a thread waits for another thread. First it stays on its processor, since most waits are shorter than a
// switch of threads. Then it lets other threads run. At last it sleeps for short times.
//
// Where threads outnumber processors (`crowded`), a thread that stays on its processor may keep it from the
// very thread that is waited for. So there it sleeps almost at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace infcl::cpu {

class Waiter {
 public:
  explicit Waiter(bool crowded) : spins_(crowded ? 20 : 20000), yields_(crowded ? 2 : 200) {}

  void wait() {
    if (spins_ > 0) {
      --spins_;
      pause();
    } else if (yields_ > 0) {
      --yields_;
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(sleep_));
      sleep_ = std::min(2 * sleep_, kLongestSleep);
    }
  }

 private:
  static constexpr int kLongestSleep = 160;
  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
  }

  int spins_, yields_;
  int sleep_ = 20;  // microseconds
};

}  // namespace infcl::cpu
