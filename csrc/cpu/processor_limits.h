// The limits that an operating system puts on the threads of a process. Each system has a file of its own:
// processor_limits_linux.cpp, _win32.cpp, _darwin.cpp. sources.cmake chooses the file.
//
// Refuses to fail: a limit that cannot be read is no limit.
#pragma once

#include <limits>

namespace infcl::cpu {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// The number of processors that this process may run on; 0: unknown.
int allowed_processors();
// The processor time that a container leaves to the process. The unit is a processor.
double processor_quota();

}  // namespace infcl::cpu
