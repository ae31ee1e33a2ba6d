// The compiled kernels in a build. cuda/cuda.cmake writes the list, with each .cu file of cuda/kernels once
// per target.
#pragma once

#include <string>
#include <vector>

namespace infcl::cuda {

struct KernelImage {
  const char* source;         // name of its .cu file
  const char* target;         // "80", "90a"; for PTX the virtual architecture
  bool ptx;                   // text for the driver to compile; else machine code
  const unsigned char* data;  // a fatbin with this one image, compressed
};
const std::vector<KernelImage>& kernel_images();

// Names of the targets whose images may run on a device, best first. Cubins of the device's generation, up to
// the device's own capability, come before PTX.
struct ImageTarget {
  std::string name;
  bool ptx;
};
std::vector<ImageTarget> targets_for(const std::vector<KernelImage>&, int capability);

// One image of every source for the first of these targets, which targets_for() found. A source without an
// image for the first target gets one of a later target of the same kind: PTX of 80 completes PTX of 90a.
std::vector<const KernelImage*> images_for(const std::vector<KernelImage>&,
                                           const std::vector<ImageTarget>& targets);

}  // namespace infcl::cuda
