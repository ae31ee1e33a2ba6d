// How many threads of this process can run at once. Two limits count: the processors that the process may run
// on, and the processor time that a container leaves to the process.
//
// Refuses to fail: a limit that cannot be read is no limit.
#pragma once

namespace infcl::cpu {

// At least 1. Asks the system and reads files each time, since limits may change.
int usable_threads();

}  // namespace infcl::cpu
