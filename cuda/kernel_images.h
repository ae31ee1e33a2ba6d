// The compiled kernels that a build carries; cuda/embed_kernels.cmake writes the list. Each source file of
// cuda/kernels is there once per target.
#pragma once

#include <string>
#include <vector>

namespace infcl::cuda {

struct KernelImage {
  const char* source;  // name of its .cu file
  const char* target;  // "80", "90a"; for PTX the virtual architecture
  bool ptx;            // text for the driver to compile, ended by a zero; else a cubin
  const unsigned char* data;
};
const std::vector<KernelImage>& kernel_images();

// Names of the targets whose images may run on a device, best first: cubins of its own generation that are
// not newer than itself, then PTX.
struct ImageTarget {
  std::string name;
  bool ptx;
};
std::vector<ImageTarget> targets_for(const std::vector<KernelImage>&, int capability);

}  // namespace infcl::cuda
