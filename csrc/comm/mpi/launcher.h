// Who started this process as one of several ranks, as far as its environment tells.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/mpi/library.h"

namespace infcl::mpi {

struct Launcher {
  std::string name;                    // for messages; empty: nothing is known
  int size = 0;                        // ranks that were started; 0: unknown
  std::vector<std::string> libraries;  // candidates, the launcher's own first
};

// The value of an environment variable; empty where it is not set.
using Variable = std::function<std::string(const char* name)>;

Launcher find_launcher(const Variable&, const LibraryNames&);

}  // namespace infcl::mpi
