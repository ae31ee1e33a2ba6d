// Linux and macOS: the loader knows the names of all libraries of the process.
#include <dlfcn.h>

#include "binding/process_symbol.h"

namespace infcl::binding {

void* find_process_symbol(const char* name) { return dlsym(RTLD_DEFAULT, name); }

}  // namespace infcl::binding
