// Copies between the caller's memory and the device, through two halves of pinned memory. The host fills or
// empties one half while the device copies the other. The size is bounded, and any stream may be used.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

#include "cuda/driver/memory.h"

namespace infcl::cuda {

class Staging {
 public:
  // Pieces of at least this size; the memory only grows. Nothing may be on its way.
  void reserve(int64_t piece_bytes);
  int64_t piece_bytes() const { return halves_[0] ? halves_[0]->memory.bytes() : 0; }

  // `fill` writes to pinned memory, which then goes to the device.
  void upload_piece(const Stream&, void* device, int64_t bytes, const std::function<void(char*)>& fill);
  void upload(const Stream&, void* device, const void* host, int64_t bytes);

  // Rows of `width` bytes. On the device a row begins `pitch` bytes after the one before, on the
  // host `width`.
  struct Rows {
    void* device;
    int64_t rows, width, pitch;
  };
  int64_t rows_of_piece(int64_t width) const { return std::max<int64_t>(1, piece_bytes() / width); }
  // At most a piece each. The caller has downloaded rows after the next land().
  void upload_rows(const Stream&, const Rows&, const void* host);
  void download_rows(const Stream&, const Rows&, void* host);
  void land();
  // Gives up downloads that have not landed, since the caller's memory may be gone. Nothing may be on
  // its way.
  void forget();

  // The caller has all rows when this returns. `may_go_on` runs between pieces, and throws to stop.
  void download(const Stream&, const Rows&, void* host, const std::function<void()>& may_go_on);

 private:
  struct Half {
    explicit Half(int64_t bytes) : memory(bytes) {}
    void land();
    PinnedBuffer memory;
    Event copied;
    void* target = nullptr;  // the caller's memory for a download
    int64_t bytes = 0;
  };
  Half& next();  // may be overwritten

  std::unique_ptr<Half> halves_[2];
  int turn_ = 0;
};

}  // namespace infcl::cuda
