// Linux: names of MPI libraries. The number is the version of the binary interface.
#include "comm/mpi/library.h"

namespace infcl::mpi {

const LibraryNames& library_names() {
  // MPICH calls its library libmpi.so.12, and Debian calls it libmpich.so.12. MPICH 5.0 numbers the library
  // of the standard layout 0 by mistake.
  static const LibraryNames names{
      {"libmpi.so.40"}, {"libmpi.so.12", "libmpich.so.12"}, {"libmpi_abi.so.1", "libmpi_abi.so.0"}};
  return names;
}

}  // namespace infcl::mpi
