// The way between the caller's memory and the device: two halves of pinned memory, one being filled or
// emptied here while the device copies the other. Bounded, whatever is transported.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "cuda/device_memory.h"

namespace infcl::cuda {

class Staging {
 public:
  // Pieces of at least this size; only ever grows. Nothing may be on its way.
  void reserve(int64_t piece_bytes);
  int64_t piece_bytes() const { return halves_[0] ? halves_[0]->memory.bytes() : 0; }

  // `fill` writes to pinned memory, which then goes to the device.
  void upload_piece(const Stream&, void* device, int64_t bytes, const std::function<void(char*)>& fill);
  void upload(const Stream&, void* device, const void* host, int64_t bytes);

  // What lies on the device, rows of `width` bytes `pitch` bytes apart, is with the caller when this returns.
  // Between pieces `may_go_on` is asked, which throws if not.
  struct Rows {
    const void* device;
    int64_t rows, width, pitch;
  };
  void download(const Stream&, const Rows&, void* host, const std::function<void()>& may_go_on);

 private:
  struct Half {
    explicit Half(int64_t bytes) : memory(bytes) {}
    PinnedBuffer memory;
    Event copied;
  };
  Half& next();  // free to be overwritten

  std::unique_ptr<Half> halves_[2];
  int turn_ = 0;
};

}  // namespace infcl::cuda
