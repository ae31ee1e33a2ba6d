// One clock, one queue of events.
#include "simulation.h"

#include <algorithm>
#include <queue>
#include <stdexcept>
#include <utility>
#include <vector>

namespace schedule {

namespace {

using infcl::Grid;
using infcl::cpu::GridGates;
using infcl::cpu::Piece;
using infcl::cpu::TileOrder;
using infcl::cpu::TileStep;
using infcl::cpu::TileTurns;

// Threads as state machines on one clock. A thread that cannot go on is asked again after each change.
class Simulation {
 public:
  explicit Simulation(const Sweep& s)
      : s_(s),
        order_(s.grid, infcl::cpu::row_window(s.grid, s.threads), s.two_parts),
        gates_{GridGates(s.grid), GridGates(s.grid)},
        packed_(static_cast<size_t>(s.grid.tile_rows())),
        threads_(static_cast<size_t>(s.threads)) {}

  Times run() {
    for (size_t t = 0; t < threads_.size(); ++t) waiting_.push_back(t);
    ask_all();
    while (!events_.empty()) {
      now_ = events_.top().first;
      const size_t t = events_.top().second;
      events_.pop();
      complete(threads_[t]);
      waiting_.push_back(t);
      ask_all();
    }
    if (ended_ != threads_.size()) throw std::logic_error("all threads wait for each other");
    times_.wall = now_;
    return times_;
  }

 private:
  enum class State { kAsk, kPack, kPacked, kCompute, kTurns, kPiece, kFolded, kClose };
  struct Thread {
    State state = State::kAsk;
    TileStep step;
    Parts parts;
    int part = 0;
    TileTurns turns;
    Piece piece{};
  };

  void ask_all() {
    do {
      changed_ = false;
      std::vector<size_t> asked;
      asked.swap(waiting_);
      for (const size_t t : asked)
        if (!advance(t)) waiting_.push_back(t);
    } while (changed_);
  }

  // Starts the thread's next work, if it may. False: it waits.
  bool advance(size_t t) {
    Thread& x = threads_[t];
    switch (x.state) {
      case State::kAsk: {
        const TileOrder::Answer answer = order_.next(x.step.tile_row, &x.step);
        if (answer == TileOrder::Answer::kWait) return false;
        changed_ = true;
        if (answer == TileOrder::Answer::kDone) return ++ended_ > 0;
        x.parts = s_.parts(x.step);
        x.part = 0;
        x.state = State::kPacked;
        if (x.step.first) return start(t, State::kPack, s_.pack_rows(x.step.tile_row));
        return advance(t);
      }
      case State::kPacked:
        return packed_[static_cast<size_t>(x.step.tile_row)] && start(t, State::kCompute, part(x).compute);
      case State::kTurns:
        return x.turns.take(gates(x), &x.piece) &&
               start(t, State::kPiece, x.piece.of_rows ? part(x).row_piece : part(x).column_piece);
      case State::kFolded:
        return start(t, State::kClose, s_.close_row);
      default:
        throw std::logic_error("a thread that works was asked");
    }
  }

  // What the end of a thread's work changes.
  void complete(Thread& x) {
    switch (x.state) {
      case State::kPack:
        packed_[static_cast<size_t>(x.step.tile_row)] = 1;
        x.state = State::kPacked;
        return;
      case State::kCompute:
        x.turns.begin(x.step.tile_row, x.step.tile_column, part(x).row_slices, part(x).column_slices);
        return end_piece(x);
      case State::kPiece:
        x.turns.leave(gates(x), x.piece);
        return end_piece(x);
      default:  // kClose
        order_.close(x.step.tile_row);
        x.state = State::kAsk;
    }
  }

  void end_piece(Thread& x) {
    x.state = State::kTurns;
    if (!x.turns.done()) return;
    if (++x.part < x.parts.count) {
      x.state = State::kPacked;
      return;
    }
    x.state = order_.finish(x.step) ? State::kFolded : State::kAsk;
  }

  bool start(size_t t, State state, double seconds) {
    threads_[t].state = state;
    times_.work += seconds;
    events_.push({now_ + seconds, t});
    return true;
  }

  static const Part& part(const Thread& x) { return x.parts.part[x.part]; }
  GridGates& gates(const Thread& x) { return gates_[part(x).gradients ? 1 : 0]; }

  const Sweep& s_;
  TileOrder order_;
  GridGates gates_[2];
  std::vector<char> packed_;
  std::vector<Thread> threads_;
  using Event = std::pair<double, size_t>;
  std::priority_queue<Event, std::vector<Event>, std::greater<Event>> events_;
  std::vector<size_t> waiting_;
  double now_ = 0;
  size_t ended_ = 0;
  bool changed_ = false;
  Times times_;
};

// The times at which each slice of each line is free, with a thread for each tile. Tiles come row by row, so
// all tiles that a tile waits for come before it.
class CriticalPath {
 public:
  explicit CriticalPath(const Sweep& s) : s_(s) {
    for (int gradients : {0, 1}) {
      free_[gradients][0].resize(static_cast<size_t>(s.grid.tile_rows()));
      free_[gradients][1].resize(static_cast<size_t>(s.grid.tile_columns()));
    }
  }

  double run() {
    double end = 0;
    for (int64_t i = 0; i < s_.grid.tile_rows(); ++i) {
      const double packed = s_.pack_rows(i);
      double closed = packed;
      if (s_.two_parts) {
        for (int64_t j = 0; j < s_.grid.tile_columns(); ++j)
          closed = std::max(closed, step({i, j, TileStep::kFold, false}, packed));
        closed += s_.close_row;
      }
      const TileStep::Part part = s_.two_parts ? TileStep::kDifferentiate : TileStep::kTile;
      for (int64_t j = s_.grid.first_tile_column(i); j < s_.grid.tile_columns(); ++j)
        end = std::max(end, step({i, j, part, false}, closed));
    }
    return end;
  }

 private:
  struct Line {
    double free[infcl::cpu::TurnGates::kMostSlices] = {};
  };

  // When the step ends that begins at `start`.
  double step(const TileStep& at, double start) {
    const Parts parts = s_.parts(at);
    for (int n = 0; n < parts.count; ++n) start = add(at, parts.part[n], start + parts.part[n].compute);
    return start;
  }

  // The slice that is free first comes first.
  double add(const TileStep& at, const Part& p, double now) {
    std::vector<std::pair<double*, double>> pieces;  // when the slice is free, and how long the piece takes
    for (int k = 0; k < p.row_slices; ++k) pieces.push_back({&line(p, 0, at.tile_row).free[k], p.row_piece});
    for (int k = 0; k < p.column_slices; ++k)
      pieces.push_back({&line(p, s_.grid.triangle() ? 0 : 1, at.tile_column).free[k], p.column_piece});
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const auto& a, const auto& b) { return *a.first < *b.first; });
    for (const auto& piece : pieces) now = *piece.first = std::max(now, *piece.first) + piece.second;
    return now;
  }

  Line& line(const Part& p, int side, int64_t index) {
    return free_[p.gradients ? 1 : 0][side][static_cast<size_t>(index)];
  }

  const Sweep& s_;
  std::vector<Line> free_[2][2];  // of the fold and of the gradients, of rows and of columns
};

}  // namespace

Times simulate(const Sweep& s) {
  Times times = Simulation(s).run();
  times.critical = CriticalPath(s).run();
  return times;
}

}  // namespace schedule
