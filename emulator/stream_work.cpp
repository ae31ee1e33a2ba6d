#include "stream_work.h"

#include <cstdlib>
#include <vector>

namespace infcl::emulator {

bool is_lazy() {
  const char* text = std::getenv("INFCL_EMULATOR_LAZY");
  return text && *text == '1';
}

void StreamWork::give(CUstream stream, std::function<void()> work) {
  Queue& queue = queues_[stream];
  queue.work.push_back(std::move(work));
  queue.given++;
  if (!is_lazy()) finish(stream);
}

StreamWork::Mark StreamWork::mark(CUstream stream) { return {stream, queues_[stream].given}; }

// Work that waits for another stream finishes that one's: marks lie in the past, so this ends.
void StreamWork::finish(Mark mark) {
  Queue& queue = queues_[mark.stream];
  while (queue.done < mark.given) {
    const std::function<void()> work = std::move(queue.work.front());
    queue.work.pop_front();
    work();
    queue.done++;
  }
}

void StreamWork::finish_all() {
  std::vector<CUstream> streams;
  for (const auto& queue : queues_) streams.push_back(queue.first);
  for (CUstream stream : streams) finish(stream);
}

}  // namespace infcl::emulator
