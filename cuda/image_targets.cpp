// Chooses the images that may run on a device.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "cuda/kernel_images.h"

namespace infcl::cuda {

namespace {

// "90a" runs on 9.0 alone. A plain cubin runs on its own revision of a generation and on later ones. PTX runs
// on all later devices.
bool runs_on(const KernelImage& image, int capability) {
  char* suffix = nullptr;
  const int target = static_cast<int>(std::strtol(image.target, &suffix, 10));
  if (*suffix) return target == capability;
  return target <= capability && (image.ptx || target / 10 == capability / 10);
}

}  // namespace

std::vector<ImageTarget> targets_for(const std::vector<KernelImage>& images, int capability) {
  std::vector<ImageTarget> found;
  for (const KernelImage& image : images) {
    const bool known = std::any_of(found.begin(), found.end(), [&](const ImageTarget& t) {
      return t.name == image.target && t.ptx == image.ptx;
    });
    if (!known && runs_on(image, capability)) found.push_back({image.target, image.ptx});
  }
  std::stable_sort(found.begin(), found.end(), [](const ImageTarget& a, const ImageTarget& b) {
    if (a.ptx != b.ptx) return b.ptx;
    return std::atoi(a.name.c_str()) > std::atoi(b.name.c_str());
  });
  return found;
}

std::vector<const KernelImage*> images_for(const std::vector<KernelImage>& images,
                                           const std::vector<ImageTarget>& targets) {
  std::vector<const KernelImage*> found;
  for (const ImageTarget& target : targets) {
    if (target.ptx != targets.front().ptx) continue;
    for (const KernelImage& image : images) {
      const bool known = std::any_of(found.begin(), found.end(), [&](const KernelImage* other) {
        return std::strcmp(other->source, image.source) == 0;
      });
      if (!known && image.ptx == target.ptx && target.name == image.target) found.push_back(&image);
    }
  }
  return found;
}

}  // namespace infcl::cuda
