// Who meets whom on the ring. Each rank keeps its rows. Its columns travel as guests: at step t, a rank has
// the guests of the rank t places behind. Columns of a side that is not the rows' side go all the way round.
// Where a side meets itself, they go half way, since every pair of ranks must meet only once. Pure
// arithmetic, so that a test can count each pair.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/grid.h"
#include "core/objective.h"

namespace infcl {

// The rows that a rank has of each side, and how many of them get a gradient. The index is a Side.
struct Shard {
  int64_t rows[2] = {0, 0};
  int64_t gradient_rows[2] = {0, 0};
};

// The shards of all ranks. The whole batch has them in rank order.
class Shards {
 public:
  explicit Shards(std::vector<Shard> all) : all_(std::move(all)) {}

  int ranks() const { return static_cast<int>(all_.size()); }
  int64_t rows(int rank, Side side) const { return of(rank).rows[static_cast<int>(side)]; }
  int64_t gradient_rows(int rank, Side side) const { return of(rank).gradient_rows[static_cast<int>(side)]; }
  // Index in the whole batch of a rank's first row.
  int64_t first(int rank, Side side) const {
    int64_t before = 0;
    for (int r = 0; r < rank; ++r) before += rows(r, side);
    return before;
  }
  int64_t total(Side side) const { return first(ranks(), side); }

 private:
  const Shard& of(int rank) const { return all_[static_cast<size_t>(rank)]; }

  std::vector<Shard> all_;
};

// A shard travels in two pieces: one is on its way while the other is visited.
constexpr int kPieces = 2;
inline Range piece_of(int64_t rows, int piece) {
  return {rows * piece / kPieces, rows * (piece + 1) / kPieces};
}

// The way of the guests of one similarity, as one rank sees it.
class RingRoute {
 public:
  RingRoute(const Shards& shards, const Similarity& similarity, int rank)
      : shards_(shards), similarity_(similarity), rank_(rank) {}

  // Guests are visited at the steps from 1 to this one.
  int last_step() const { return similarity_.triangle() ? ranks() / 2 : ranks() - 1; }
  // Places ahead from the last step to the owner.
  int way_home() const { return ranks() - last_step(); }
  // The rank whose guests are here at a step.
  int owner(int step) const { return (rank_ - step + ranks()) % ranks(); }
  // Rows of a guest, and of them those that get a gradient. Step 0: those of this rank's own.
  Range piece(int step, int piece) const {
    return piece_of(shards_.rows(owner(step), similarity_.columns), piece);
  }
  int64_t gradient_rows(int step, int piece) const;
  // Index in the whole batch of the guest's first row.
  int64_t first_column(int step, int piece) const {
    return shards_.first(owner(step), similarity_.columns) + this->piece(step, piece).begin;
  }
  // How many of the rank's rows, from the first on, the guest meets. Half way round an even ring of a side
  // with itself, two ranks have each other's guests. The lower rank then takes the first half of its rows,
  // and the other rank takes the columns that are the second half.
  int64_t rows_met(int step, int piece) const;

 private:
  int ranks() const { return shards_.ranks(); }

  const Shards& shards_;
  const Similarity similarity_;
  const int rank_;
};

inline int64_t RingRoute::gradient_rows(int step, int piece) const {
  const Range rows = this->piece(step, piece);
  const int64_t end = shards_.gradient_rows(owner(step), similarity_.columns);
  return end <= rows.begin ? 0 : (end < rows.end ? end : rows.end) - rows.begin;
}

inline int64_t RingRoute::rows_met(int step, int piece) const {
  if (this->piece(step, piece).size() == 0) return 0;
  const int64_t all = shards_.rows(rank_, similarity_.rows);
  if (!similarity_.triangle() || 2 * step < ranks()) return all;
  if (rank_ < owner(step)) return piece_of(all, 0).end;
  return piece == 1 ? all : 0;
}

}  // namespace infcl
