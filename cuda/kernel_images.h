// The compiled kernels in a build. cuda/cuda.cmake writes the list, with each .cu file of cuda/kernels once
// per target.
#pragma once

#include <string>
#include <vector>

namespace infcl::cuda {

struct KernelImage {
  const char* source;  // name of its .cu file
  const char* target;  // "80", "90a"; for PTX the virtual architecture
  bool ptx;            // text for the driver to compile, with a zero at its end; else a cubin
  const unsigned char* data;
};
const std::vector<KernelImage>& kernel_images();

// Names of the targets whose images may run on a device, best first. Cubins of the device's generation, up to
// the device's own capability, come before PTX.
struct ImageTarget {
  std::string name;
  bool ptx;
};
std::vector<ImageTarget> targets_for(const std::vector<KernelImage>&, int capability);

}  // namespace infcl::cuda
