// Moves the bytes of operations: cuts messages into pieces, and keeps a few pieces of each message under way.
//
// A piece lies in a buffer of its own while the library has it. So the library never sees the memory of an
// operation. After a failure the library may write to the buffers of open messages for as long as the process
// lives; those buffers are then never freed, and callers may free their memory at once.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "comm/mpi/operation.h"
#include "comm/mpi/wire.h"

namespace infcl::mpi {

class Pieces {
 public:
  // An end of a piece is progress, which a deadline watches, so a piece must not take long: 8 MiB take 0.1 s
  // at 1 Gb/s. With larger pieces the buffers grow, and with smaller ones each piece needs more polls per
  // byte.
  static constexpr size_t kLargestPiece = size_t{8} << 20;
  // Pieces with one rank in one direction that are under way at the same time. With one alone, the connection
  // would rest between the end of a piece and the next poll.
  static constexpr size_t kUnderWay = 3;

  explicit Pieces(Wire& wire) : wire_(wire) {}

  void add(const std::shared_ptr<Operation>&);
  // Starts and ends pieces, without waiting. True where a piece has ended. Throws WireError.
  bool move();
  // Gives up all operations and touches their memory no more.
  void forget();

 private:
  using Buffer = std::unique_ptr<char[]>;

  // What is not under way yet of a message.
  struct Rest {
    std::shared_ptr<Operation> operation;
    const char* out;  // one of the two is null
    char* in;
    size_t bytes;
  };
  struct Piece {
    std::shared_ptr<Operation> operation;
    Buffer buffer;
    size_t bytes;
    char* in;  // null for a piece that is sent
    int message;
  };
  // The messages with one rank in one direction, which start in the order of their operations: the other rank
  // expects them so.
  struct Lane {
    std::deque<Rest> waiting;
    std::deque<Piece> under_way;
  };
  using Lanes = std::map<int, Lane>;  // by rank; no lane is empty

  bool move(Lanes&);
  void start(int rank, Lane&);
  bool end(Lane&);
  Buffer take_buffer(size_t bytes);
  void give_back(Buffer, size_t bytes);

  Wire& wire_;
  Lanes out_, in_;
  std::vector<Buffer> spare_;  // of kLargestPiece bytes
  std::vector<Buffer> lost_;   // the library may still use these
};

}  // namespace infcl::mpi
