// The order in which tile rows may touch a tile column. Sums and gradients of a column are formed in the
// order of the tile rows, so results do not depend on the number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace infcl::cpu {

// Tile row i enters tile column j after tile row i - 1 has left it. Threads take tile rows in turn, in
// ascending order. So a tile row waits only for one that is already running or done, and never for long.
class ColumnGate {
 public:
  explicit ColumnGate(int64_t tile_columns)
      : size_(tile_columns), passed_(new std::atomic<int64_t>[static_cast<size_t>(tile_columns)]) {
    for (int64_t j = 0; j < size_; ++j) passed_[j].store(0, std::memory_order_relaxed);
  }

  // Waits for the turn of `tile_row`. False: the call was stopped meanwhile.
  bool enter(int64_t tile_column, int64_t tile_row) const {
    for (int spins = 0; passed_[tile_column].load(std::memory_order_acquire) != tile_row; ++spins) {
      if (stopped_.load(std::memory_order_relaxed)) return false;
      if (spins < kSpins) {
        pause();
      } else {
        std::this_thread::yield();
      }
    }
    return true;
  }
  // Only after `enter` of the same tile row. A leave out of order would move the count back: later tile rows
  // would wait for ever.
  void leave(int64_t tile_column, int64_t tile_row) {
    passed_[tile_column].store(tile_row + 1, std::memory_order_release);
  }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  static constexpr int kSpins = 20000;  // before a waiting thread yields its processor
  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
  }

  int64_t size_;
  std::unique_ptr<std::atomic<int64_t>[]> passed_;
  std::atomic<bool> stopped_{false};
};

}  // namespace infcl::cpu
