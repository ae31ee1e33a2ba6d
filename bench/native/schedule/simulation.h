// Simulates one sweep of the CPU backend over the tiles of a similarity, with any number of threads. The
// order of tiles, the gates and the choice among waiting pieces are the product's own code
// (csrc/cpu/tile_order.h, tile_turns.h). Only time is made up: a piece of work lasts as long as its cost
// says.
#pragma once

#include <cstdint>
#include <functional>

#include "cpu/tile_order.h"
#include "cpu/tile_turns.h"

namespace schedule {

// What a thread does for a step: work that waits for nothing, then pieces in turns.
struct Part {
  bool gradients = false;  // which gates: those of the fold or those of the gradients
  double compute = 0;      // seconds
  int row_slices = 0, column_slices = 0;
  double row_piece = 0, column_piece = 0;  // seconds of each slice
};

struct Parts {
  int count = 0;
  Part part[2];
};

struct Sweep {
  infcl::Grid grid;
  int threads = 1;
  bool two_parts = false;                             // as in TileOrder
  std::function<double(int64_t tile_row)> pack_rows;  // seconds
  std::function<Parts(const infcl::cpu::TileStep&)> parts;
  double close_row = 0;  // seconds; two_parts: of the engine, after the last fold of a tile row
};

// Seconds.
struct Times {
  double wall = 0;
  double work = 0;      // of all threads together
  double critical = 0;  // the longest chain of work in which each piece waits for the piece before
};

// Throws std::logic_error where all threads wait for each other.
Times simulate(const Sweep&);

}  // namespace schedule
