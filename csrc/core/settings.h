// What users ask for through environment variables. A value is read once and passed on: the variables of a
// process may change while its other threads run, and reading one at that moment ends the process.
#pragma once

#include <string>

namespace infcl {

// "" stands for a variable that is not set.
struct Settings {
  std::string isa;           // INFCL_ISA: the instruction set that calls use
  std::string cuda_path;     // INFCL_CUDA_PATH: which kernels multiply on Hopper
  std::string cuda_library;  // INFCL_CUDA_LIBRARY: instead of libcuda.so.1
};

// By getenv. For programs of which no thread changes the environment meanwhile.
Settings settings_from_environment();

}  // namespace infcl
