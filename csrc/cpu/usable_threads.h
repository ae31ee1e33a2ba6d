// How many threads of this process can run at once. Two limits count: the processors that the process may run
// on, and the processor time that a container leaves to the process.
//
// The limits of the system refuse to fail: a limit that cannot be read is no limit.
#pragma once

#include <string>

namespace infcl::cpu {

// At least 1. Asks the system and reads files each time, since limits may change.
int usable_threads();

// How many threads a call has at most that does not name a number. `wanted` is the value of INFCL_THREADS; ""
// stands for usable_threads(). Throws Error (kValue) for anything but a number from 1 to 1024.
int default_threads(const std::string& wanted);
// Throws Error (kValue) as default_threads does. Does not ask the system.
void check_default_threads(const std::string& wanted);

}  // namespace infcl::cpu
