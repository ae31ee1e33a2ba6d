#include "library.h"

#include <dlfcn.h>

#include <cstdlib>

namespace infcl::bench {

Library::Library(std::initializer_list<std::string> names) {
  for (const std::string& name : names) {
    handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_) continue;
    name_ = name;
    return;
  }
}

Library Library::cuda_driver() {
  const char* named = std::getenv("INFCL_CUDA_LIBRARY");
  return Library({named && *named ? named : "libcuda.so.1"});
}

void* Library::address(const char* symbol) const { return handle_ ? dlsym(handle_, symbol) : nullptr; }

}  // namespace infcl::bench
