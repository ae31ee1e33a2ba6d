// How a block of logits is cut into cells, and who may touch a column when. The cut depends on the shape
// alone, and cells reach every accumulator in row order, so results do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace infcl {

struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool contains(int64_t i) const { return begin <= i && i < end; }
};

// Largest cell a backend works on, and the granule that its row cuts respect.
struct CellShape {
  int64_t rows, columns, row_granule;
};

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

class Schedule {
 public:
  static constexpr int64_t kMostCells = INT64_MAX / 8;

  Schedule(int64_t rows, int64_t columns, CellShape cell, bool triangle = false)
      : rows_(rows), columns_(columns), cell_(cell), triangle_(triangle) {
    column_blocks_ = ceil_div(columns, cell.columns);
    granules_ = ceil_div(rows, cell.row_granule);
    // Even shares for 2, 4 and 8 threads, even of a small batch, as long as a block keeps two granules: the
    // cut must not know how many threads there are.
    const int64_t most_granules =
        (triangle ? std::min(cell.rows, cell.columns) : cell.rows) / cell.row_granule;
    const int64_t least = ceil_div(granules_, most_granules),
                  affordable = std::max<int64_t>(1, granules_ / 2);
    if (triangle) {  // square cells, so that a block of columns is a block of rows
      // Each row of cells is one shorter than the one before: among few, threads would end far apart.
      column_blocks_ = row_blocks_ = std::max(least, std::min<int64_t>(12, affordable));
    } else {
      row_blocks_ = round_up(least, std::min<int64_t>(8, affordable));
    }
  }

  int64_t row_blocks() const { return row_blocks_; }
  int64_t column_blocks() const { return column_blocks_; }
  // At most kMostCells, which no call will ever visit.
  int64_t cells() const {
    int64_t cells = 0;
    const int64_t columns = triangle_ ? row_blocks_ + 1 : column_blocks_;
    if (__builtin_mul_overflow(row_blocks_, columns, &cells)) return kMostCells;
    return std::min(triangle_ ? cells / 2 : cells, kMostCells);
  }
  bool triangle() const { return triangle_; }
  int64_t row_count() const { return rows_; }
  int64_t column_count() const { return columns_; }
  // Row block i visits column blocks from here on.
  int64_t first_column_block(int64_t row_block) const { return triangle_ ? row_block : 0; }
  // Position of a cell among all, by columns first.
  int64_t index(int64_t row_block, int64_t column_block) const {
    return triangle_ ? column_block * (column_block + 1) / 2 + row_block
                     : column_block * row_blocks_ + row_block;
  }
  Range rows(int64_t block) const { return {row_cut(block), row_cut(block + 1)}; }
  Range columns(int64_t block) const { return {column_cut(block), column_cut(block + 1)}; }
  // Rows and columns before a block.
  int64_t row_cut(int64_t block) const { return std::min(rows_, granule_cut(block) * cell_.row_granule); }
  int64_t column_cut(int64_t block) const {
    return triangle_ ? row_cut(block) : std::min(columns_, block * cell_.columns);
  }
  // Pairs in the visited cells of the first column blocks, and in those of them that lie on a triangle's
  // diagonal. Known without a visit, since there are only two sizes of row blocks, and a last one.
  double pairs(int64_t column_blocks) const;
  double diagonal_pairs(int64_t column_blocks) const;
  // Of the largest block.
  int64_t max_rows() const { return std::min(rows_, ceil_div(granules_, row_blocks_) * cell_.row_granule); }
  int64_t max_columns() const { return triangle_ ? max_rows() : std::min(columns_, cell_.columns); }

 private:
  int64_t granule_cut(int64_t block) const {
    // the product may need more than 64 bits
    return static_cast<int64_t>(static_cast<__int128>(granules_) * block / row_blocks_);
  }

  int64_t rows_, columns_;
  CellShape cell_;
  bool triangle_;
  int64_t granules_ = 0, row_blocks_ = 0, column_blocks_ = 0;
};

inline double Schedule::diagonal_pairs(int64_t column_blocks) const {
  if (!triangle_) return 0;
  const auto square = [](int64_t n) { return static_cast<double>(n) * static_cast<double>(n); };
  const int64_t least = granules_ / row_blocks_, larger = granule_cut(column_blocks) - least * column_blocks;
  const double whole = static_cast<double>(larger) * square((least + 1) * cell_.row_granule) +
                       static_cast<double>(column_blocks - larger) * square(least * cell_.row_granule);
  if (column_blocks < row_blocks_) return whole;
  const int64_t before_last = row_cut(row_blocks_ - 1);
  const int64_t last_if_whole = granules_ * cell_.row_granule - before_last;
  return whole - square(last_if_whole) + square(rows_ - before_last);
}

inline double Schedule::pairs(int64_t column_blocks) const {
  const double columns = static_cast<double>(column_cut(column_blocks));
  if (!triangle_) return static_cast<double>(rows_) * columns;
  return (columns * columns + diagonal_pairs(column_blocks)) / 2;
}

// Lets row blocks into each column block strictly in order: block i enters column j after block i - 1 has
// left it. Row blocks are dealt to threads round-robin and visited in ascending order, so the block waited
// for is always already running or done, and nobody waits for long.
class ColumnGate {
 public:
  explicit ColumnGate(int64_t column_blocks)
      : size_(column_blocks), passed_(new std::atomic<int64_t>[static_cast<size_t>(column_blocks)]) {
    for (int64_t j = 0; j < size_; ++j) passed_[j].store(0, std::memory_order_relaxed);
  }

  // False when the call was stopped while waiting.
  bool enter(int64_t column_block, int64_t row_block) const {
    for (int spins = 0; passed_[column_block].load(std::memory_order_acquire) != row_block; ++spins) {
      if (stopped_.load(std::memory_order_relaxed)) return false;
      if (spins < kSpins) {
        pause();
      } else {
        std::this_thread::yield();
      }
    }
    return true;
  }
  // Only after `enter` of the same block: leaving out of order would move the count back, and strand whoever
  // waits.
  void leave(int64_t column_block, int64_t row_block) {
    passed_[column_block].store(row_block + 1, std::memory_order_release);
  }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  static constexpr int kSpins = 20000;
  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
  }

  int64_t size_;
  std::unique_ptr<std::atomic<int64_t>[]> passed_;
  std::atomic<bool> stopped_{false};
};

}  // namespace infcl
