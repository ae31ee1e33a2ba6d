#include "cuda/operands/pinned_staging.h"

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

void Staging::Half::land() {
  copied.synchronise();
  if (target) std::memcpy(target, memory.data(), static_cast<size_t>(bytes));
  target = nullptr;
}

Staging::Half& Staging::next() {
  turn_ = 1 - turn_;
  halves_[turn_]->land();
  return *halves_[turn_];
}

void Staging::land() {
  for (auto& half : halves_)
    if (half && half->target) half->land();
}

void Staging::forget() {
  for (auto& half : halves_)
    if (half) half->target = nullptr;
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

void Staging::upload_rows(const Stream& stream, const Rows& to, const void* host) {
  Half& half = next();
  std::memcpy(half.memory.data(), host, static_cast<size_t>(to.rows * to.width));
  stream.copy_rows({true, to.device, to.pitch}, {false, half.memory.data(), to.width}, to.rows, to.width);
  half.copied.record(stream);
}

void Staging::download_rows(const Stream& stream, const Rows& from, void* host) {
  Half& half = next();
  stream.copy_rows({false, half.memory.data(), from.width}, {true, from.device, from.pitch}, from.rows,
                   from.width);
  half.copied.record(stream);
  half.target = host;
  half.bytes = from.rows * from.width;
}

void Staging::download(const Stream& stream, const Rows& from, void* host,
                       const std::function<void()>& may_go_on) {
  const int64_t step = rows_of_piece(from.width);
  for (int64_t begin = 0; begin < from.rows; begin += step) {
    may_go_on();
    download_rows(stream,
                  {static_cast<char*>(from.device) + begin * from.pitch, std::min(step, from.rows - begin),
                   from.width, from.pitch},
                  static_cast<char*>(host) + begin * from.width);
  }
  land();
}

}  // namespace infcl::cuda
