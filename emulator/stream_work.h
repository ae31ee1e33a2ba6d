// What streams have been given and not yet done. Normally nothing: work is done when it is given. With
// INFCL_EMULATOR_LAZY=1 each stream does its work as late as it may: when the host waits for it, or another
// stream that the host waits for does. A missing wait then is a wrong result, every time.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

namespace infcl::emulator {

bool is_lazy();  // INFCL_EMULATOR_LAZY

class StreamWork {
 public:
  // The work that a stream had been given until some moment.
  struct Mark {
    CUstream stream = nullptr;
    uint64_t given = 0;
  };

  void give(CUstream, std::function<void()>);
  Mark mark(CUstream);
  void finish(Mark);
  void finish(CUstream stream) { finish(mark(stream)); }
  void finish_all();
  void clear() { queues_.clear(); }

 private:
  struct Queue {
    std::deque<std::function<void()>> work;
    uint64_t given = 0, done = 0;
  };
  std::map<CUstream, Queue> queues_;
};

}  // namespace infcl::emulator
