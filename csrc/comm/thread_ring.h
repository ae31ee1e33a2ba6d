// Ranks as threads of one process. The ranks share one hub: a mutex, a meeting that counts who has come, and
// a queue of messages for each pair of ranks. A receiver copies straight from the memory of the sender.
//
// Refuses to recover from `fail`: the memory of messages that nobody took is gone, so every later call
// throws.
#pragma once

#include <memory>
#include <vector>

#include "core/communicator.h"

namespace infcl::comm {

// One communicator for each rank, in rank order. Each may be used by one thread at a time.
std::vector<std::unique_ptr<Communicator>> make_thread_ring(int ranks);

}  // namespace infcl::comm
