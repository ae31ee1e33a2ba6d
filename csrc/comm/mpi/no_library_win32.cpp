// Windows: Microsoft MPI has a layout of its own, which infcl does not know.
#include "comm/mpi/library.h"
#include "core/errors.h"

namespace infcl::mpi {

const LibraryNames& library_names() {
  static const LibraryNames none;
  return none;
}

Library::Library(const std::vector<std::string>&) {
  throw Error(ErrorCode::kBackendUnavailable, "mpi",
              "infcl for Windows knows no MPI: run infcl for Linux under WSL 2, where Open MPI and MPICH are "
              "packages");
}

void* Library::find(const char*) const { return nullptr; }

}  // namespace infcl::mpi
