// Settings that users make through environment variables. A value is read once and passed on. A thread that
// reads a variable while another thread changes it may crash the process.
#pragma once

#include <string>

namespace infcl {

// "" stands for a variable that is not set.
struct Settings {
  std::string isa;           // INFCL_ISA: the instruction set that calls use
  std::string cuda_path;     // INFCL_CUDA_PATH: the kind of kernels that multiply on Hopper
  std::string cuda_library;  // INFCL_CUDA_LIBRARY: the library to load in place of libcuda.so.1
  std::string threads = "";  // INFCL_THREADS: how many threads calls use that do not say
};

// Calls getenv. For programs in which no thread changes the environment at the same time.
Settings settings_from_environment();

}  // namespace infcl
