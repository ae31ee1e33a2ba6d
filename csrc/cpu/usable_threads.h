// How many threads can run at once in this process, as far as the system says: the processors that it may run
// on, and the share of their time that a container's limit leaves.
//
// Refuses to fail: what cannot be found out is no limit.
#pragma once

namespace infcl::cpu {

// At least 1. Asks the system each time, since limits may change; some files are read for it.
int usable_threads();

}  // namespace infcl::cpu
