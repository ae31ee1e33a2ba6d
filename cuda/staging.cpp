#include "cuda/staging.h"

#include <algorithm>
#include <cstring>

namespace infcl::cuda {

constexpr int64_t kLeastPiece = 4096;  // results have longer rows than the smallest features

void Staging::reserve(int64_t bytes) {
  bytes = std::max(bytes, kLeastPiece);
  if (piece_bytes() >= bytes) return;
  for (auto& half : halves_) {
    half.reset();
    half = std::make_unique<Half>(bytes);
  }
}

Staging::Half& Staging::next() {
  turn_ = 1 - turn_;
  Half& half = *halves_[turn_];
  half.copied.synchronise();
  return half;
}

void Staging::upload_piece(const Stream& stream, void* device, int64_t bytes,
                           const std::function<void(char*)>& fill) {
  Half& half = next();
  fill(half.memory.data());
  stream.to_device(device, half.memory.data(), bytes);
  half.copied.record(stream);
}

void Staging::upload(const Stream& stream, void* device, const void* host, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += piece_bytes()) {
    const int64_t piece = std::min(piece_bytes(), bytes - at);
    upload_piece(stream, static_cast<char*>(device) + at, piece, [&](char* pinned) {
      std::memcpy(pinned, static_cast<const char*>(host) + at, static_cast<size_t>(piece));
    });
  }
}

void Staging::download(const Stream& stream, const Rows& from, void* host,
                       const std::function<void()>& may_go_on) {
  struct Piece {
    Half* half = nullptr;
    int64_t begin = 0, rows = 0;
  };
  const auto hand_over = [&](const Piece& p) {
    p.half->copied.synchronise();
    std::memcpy(static_cast<char*>(host) + p.begin * from.width, p.half->memory.data(),
                static_cast<size_t>(p.rows * from.width));
  };
  const int64_t step = std::max<int64_t>(1, piece_bytes() / from.width);
  Piece before;
  for (int64_t begin = 0; begin < from.rows; begin += step) {
    may_go_on();
    const Piece piece{&next(), begin, std::min(step, from.rows - begin)};
    stream.copy_rows({false, piece.half->memory.data(), from.width},
                     {true, static_cast<const char*>(from.device) + begin * from.pitch, from.pitch},
                     piece.rows, from.width);
    piece.half->copied.record(stream);
    if (before.half) hand_over(before);
    before = piece;
  }
  if (before.half) hand_over(before);
}

}  // namespace infcl::cuda
