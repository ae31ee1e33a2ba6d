// Keeps the host a few macro-blocks ahead of the device, and no more. The device never waits for the host. A
// caller who aborts or watches progress gets an answer within the time of these few macro-blocks.
#pragma once

#include "core/abort.h"
#include "cuda/driver/memory.h"

namespace infcl::cuda {

class Pacer {
 public:
  static constexpr int kMacroBlocksInFlight = 3;
  struct Events {
    Event done[kMacroBlocksInFlight];
  };

  Pacer(const Stream& stream, Events& events, const Control& control)
      : stream_(stream), events_(events), control_(control) {}

  // The caller calls this function after the launches of each macro-block.
  void enqueued() {
    events_.done[enqueued_++ % kMacroBlocksInFlight].record(stream_);
    if (enqueued_ - finished_ == kMacroBlocksInFlight) wait_for_oldest();
  }

  void drain() {
    while (finished_ < enqueued_) wait_for_oldest();
  }

 private:
  void wait_for_oldest() {
    events_.done[finished_++ % kMacroBlocksInFlight].synchronise();
    control_.advance();
    throw_if_aborted(control_);
  }

  const Stream& stream_;
  Events& events_;
  const Control& control_;
  int64_t enqueued_ = 0, finished_ = 0;
};

}  // namespace infcl::cuda
