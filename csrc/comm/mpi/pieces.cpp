#include "comm/mpi/pieces.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace infcl::mpi {

void Pieces::add(const std::shared_ptr<Operation>& operation) {
  for (const Message& m : operation->messages) {
    if (m.out.size > 0)
      out_[m.rank].waiting.push_back({operation, static_cast<const char*>(m.out.data), nullptr, m.out.size});
    if (m.in.size > 0)
      in_[m.rank].waiting.push_back({operation, nullptr, static_cast<char*>(m.in.data), m.in.size});
  }
}

bool Pieces::move() {
  const bool received = move(in_);
  const bool sent = move(out_);
  return received || sent;
}

bool Pieces::move(Lanes& lanes) {
  bool moved = false;
  for (auto it = lanes.begin(); it != lanes.end();) {
    Lane& lane = it->second;
    start(it->first, lane);
    moved |= end(lane);
    it = lane.waiting.empty() && lane.under_way.empty() ? lanes.erase(it) : std::next(it);
  }
  return moved;
}

void Pieces::start(int rank, Lane& lane) {
  while (!lane.waiting.empty() && lane.under_way.size() < kUnderWay) {
    Rest& rest = lane.waiting.front();
    const size_t bytes = std::min(rest.bytes, kLargestPiece);
    Piece piece{rest.operation, take_buffer(bytes), bytes, rest.in, 0};
    if (rest.out) {
      std::memcpy(piece.buffer.get(), rest.out, bytes);
      piece.message = wire_.send(piece.buffer.get(), bytes, rank, Stream::kData);
      rest.out += bytes;
    } else {
      piece.message = wire_.receive(piece.buffer.get(), bytes, rank, Stream::kData);
      rest.in += bytes;
    }
    lane.under_way.push_back(std::move(piece));
    rest.bytes -= bytes;
    if (rest.bytes == 0) lane.waiting.pop_front();
  }
}

// Pieces end in their order, so a look at the oldest suffices: each look lets the library work on all
// messages.
bool Pieces::end(Lane& lane) {
  bool moved = false;
  while (!lane.under_way.empty() && wire_.done(lane.under_way.front().message)) {
    Piece& piece = lane.under_way.front();
    if (piece.in) std::memcpy(piece.in, piece.buffer.get(), piece.bytes);
    piece.operation->bytes_left -= piece.bytes;
    give_back(std::move(piece.buffer), piece.bytes);
    lane.under_way.pop_front();
    moved = true;
  }
  return moved;
}

void Pieces::forget() {
  for (Lanes* lanes : {&out_, &in_}) {
    for (auto& [rank, lane] : *lanes)
      for (Piece& piece : lane.under_way) lost_.push_back(std::move(piece.buffer));
    lanes->clear();
  }
}

// New memory costs a fault for each page, so full buffers are kept.
Pieces::Buffer Pieces::take_buffer(size_t bytes) {
  if (bytes < kLargestPiece || spare_.empty()) return Buffer(new char[bytes]);
  Buffer buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void Pieces::give_back(Buffer buffer, size_t bytes) {
  if (bytes == kLargestPiece && spare_.size() < 2 * kUnderWay) spare_.push_back(std::move(buffer));
}

}  // namespace infcl::mpi
