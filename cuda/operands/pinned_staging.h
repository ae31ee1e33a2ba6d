// The way between the caller's memory and the device: two halves of pinned memory, one being filled or
// emptied here while the device copies the other. Bounded, whatever is transported, and on whatever stream.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

#include "cuda/driver/memory.h"

namespace infcl::cuda {

class Staging {
 public:
  // Pieces of at least this size; only ever grows. Nothing may be on its way.
  void reserve(int64_t piece_bytes);
  int64_t piece_bytes() const { return halves_[0] ? halves_[0]->memory.bytes() : 0; }

  // `fill` writes to pinned memory, which then goes to the device.
  void upload_piece(const Stream&, void* device, int64_t bytes, const std::function<void(char*)>& fill);
  void upload(const Stream&, void* device, const void* host, int64_t bytes);

  // Rows of `width` bytes, which lie `pitch` bytes apart on the device and side by side with the caller.
  struct Rows {
    void* device;
    int64_t rows, width, pitch;
  };
  int64_t rows_of_piece(int64_t width) const { return std::max<int64_t>(1, piece_bytes() / width); }
  // At most a piece each. What is downloaded is with the caller after the next land().
  void upload_rows(const Stream&, const Rows&, const void* host);
  void download_rows(const Stream&, const Rows&, void* host);
  void land();
  // Gives up what has not landed: the caller's memory may be gone. Nothing may be on its way.
  void forget();

  // All is with the caller when this returns. Between pieces `may_go_on` is asked, which throws if not.
  void download(const Stream&, const Rows&, void* host, const std::function<void()>& may_go_on);

 private:
  struct Half {
    explicit Half(int64_t bytes) : memory(bytes) {}
    void land();
    PinnedBuffer memory;
    Event copied;
    void* target = nullptr;  // of the caller, for what was downloaded
    int64_t bytes = 0;
  };
  Half& next();  // free to be overwritten

  std::unique_ptr<Half> halves_[2];
  int turn_ = 0;
};

}  // namespace infcl::cuda
