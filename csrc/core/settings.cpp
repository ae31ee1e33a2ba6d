// Reads the settings from the environment. No other file calls getenv.
#include "core/settings.h"

#include <cstdlib>

namespace infcl {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Settings settings_from_environment() {
  return {variable("INFCL_ISA"), variable("INFCL_CUDA_PATH"), variable("INFCL_CUDA_LIBRARY"),
          variable("INFCL_THREADS")};
}

}  // namespace infcl
