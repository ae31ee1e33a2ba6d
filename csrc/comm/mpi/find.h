// Finds the MPI library of the launcher and its layout, and begins MPI. Refuses a library whose layout is
// unknown, and one that sees another number of ranks than the launcher started.
#pragma once

#include <memory>
#include <string>

#include "comm/mpi/launcher.h"
#include "comm/mpi/wire.h"

namespace infcl::mpi {

// What a library says about itself before MPI begins.
struct LibraryFacts {
  std::string path;
  std::string layout;   // "Open MPI", "MPICH" or "MPI-5.0" (abi.h)
  std::string version;  // the first line of the library's own text
};

// `path` names the library; empty: one of the launcher's candidates. All functions throw Error
// (kBackendUnavailable).
LibraryFacts find_library(const std::string& path, const Launcher&);

// Begins MPI. A process can do so once.
std::unique_ptr<Wire> open_wire(const std::string& path, const Launcher&);

}  // namespace infcl::mpi
