// How a thread waits for another thread. First it stays on its processor, since most waits are shorter than
// a switch of threads. Then it lets other threads run between two looks.
//
// Where threads outnumber processors (`crowded`), a thread that stays on its processor may keep it from the
// very thread that is waited for. So there it sleeps almost at once, for short times.
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
  explicit Waiter(bool crowded) : crowded_(crowded), spins_(crowded ? 20 : 20000) {}

  void wait() {
    if (spins_ > 0) {
      --spins_;
      pause();
    } else if (!crowded_ || yields_ > 0) {
      if (crowded_) --yields_;
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

  const bool crowded_;
  int spins_, yields_ = 2;
  int sleep_ = 20;  // microseconds
};

}  // namespace infcl::cpu
