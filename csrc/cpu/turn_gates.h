// The order in which tiles add to what they share: the sums and gradients of a tile row or of a tile column.
// Each of these is a line. A line has slices, so that two tiles can work on two slices of one line at once.
//
// Tiles enter each slice of a line by their turn: the line's own tile row or tile column counts the other
// side's. So sums are formed in one order, however many threads there are and whichever thread has a tile.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace infcl::cpu {

class TurnGates {
 public:
  static constexpr int kMostSlices = 8;  // the counts of one line lie in one cache line

  explicit TurnGates(int64_t lines) : lines_(new Line[static_cast<size_t>(lines)]) {}

  // Whether the tile of this turn may enter: the tile of the turn before has left.
  bool is_turn(int64_t line, int slice, int64_t turn) const {
    return lines_[line].left[slice].load(std::memory_order_acquire) == turn;
  }
  // Only once it is the turn of the same tile. A leave out of order would move the count back: later tiles
  // would wait for ever.
  void leave(int64_t line, int slice, int64_t turn) {
    lines_[line].left[slice].store(turn + 1, std::memory_order_release);
  }

 private:
  struct alignas(64) Line {
    Line() {
      for (std::atomic<int64_t>& count : left) count.store(0, std::memory_order_relaxed);
    }
    std::atomic<int64_t> left[kMostSlices];
  };
  std::unique_ptr<Line[]> lines_;
};

}  // namespace infcl::cpu
