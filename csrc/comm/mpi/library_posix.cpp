// Linux and macOS: the loader of the system.
#include <dlfcn.h>

#include "comm/mpi/library.h"
#include "core/errors.h"

namespace infcl::mpi {

Library::Library(const std::vector<std::string>& names) {
  std::string reasons;
  for (const std::string& name : names) {
    // Global: plug-ins of Open MPI search the process, not its library, for the library's symbols.
    handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (handle_) break;
    const char* const reason = dlerror();
    reasons += (reasons.empty() ? "" : "; ") + std::string(reason ? reason : name + " cannot be loaded");
  }
  if (!handle_)
    throw Error(ErrorCode::kBackendUnavailable, "mpi",
                "no MPI library was found (" + reasons +
                    "): install Open MPI or MPICH, or name its library by INFCL_MPI_LIBRARY");
  Dl_info info{};
  const void* const symbol = find("MPI_Init_thread");
  path_ = symbol && dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : names.front();
}

void* Library::find(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace infcl::mpi
