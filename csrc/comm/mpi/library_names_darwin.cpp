// macOS: names of MPI libraries. Built, not run.
#include "comm/mpi/library.h"

namespace infcl::mpi {

const LibraryNames& library_names() {
  static const LibraryNames names{{"libmpi.40.dylib"},
                                  {"libmpi.12.dylib", "libmpich.12.dylib"},
                                  {"libmpi_abi.1.dylib", "libmpi_abi.0.dylib"}};
  return names;
}

}  // namespace infcl::mpi
