// A shared library that the process loads by name, and the names that MPI libraries have. A file for each
// family of systems implements this header.
#pragma once

#include <string>
#include <vector>

namespace infcl::mpi {

// Names by layout (abi.h). The system's loader searches its usual folders for them.
struct LibraryNames {
  std::vector<std::string> open_mpi, mpich, standard;
};

const LibraryNames& library_names();

class Library {
 public:
  // Loads the first of these that the loader finds. Throws Error (kBackendUnavailable) with the loader's
  // reasons. The library stays loaded: an MPI has threads and exit handlers of its own.
  explicit Library(const std::vector<std::string>& names);

  void* find(const char* symbol) const;  // null where the library has no such symbol
  const std::string& path() const { return path_; }

 private:
  void* handle_ = nullptr;
  std::string path_;
};

}  // namespace infcl::mpi
