#include "check_images.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cuda/driver/device.h"
#include "cuda/driver/memory.h"
#include "cuda/kernel_images.h"
#include "emulator_log.h"

namespace infcl::bench {

namespace {

enum class Verdict { kLoaded, kNotForDevice, kFailed };

struct Outcome {
  Verdict verdict;
  std::string why;
};

// By the rule of the backend: whether it may choose the image on this device.
bool is_for(const ShippedImage& image, int capability) {
  return !cuda::targets_for({{"", image.target.c_str(), image.ptx, nullptr}}, capability).empty();
}

std::string name_of(cuda::api::Result result) {
  const char* name = nullptr;
  cuda::driver().GetErrorName(result, &name);
  return name ? name : "CUDA error " + std::to_string(result);
}

Outcome load(const ShippedImage& image, int capability) {
  if (!image.damage.empty()) return {Verdict::kFailed, image.damage};
  cuda::api::Result result = cuda::api::kSuccess;
  const cuda::Module module(image.fatbin.data(), result);
  if (result == cuda::api::kSuccess) return {Verdict::kLoaded, "loaded"};
  const std::string error = " (" + name_of(result) + ")";
  if (!is_for(image, capability)) return {Verdict::kNotForDevice, "not for this device" + error};
  if (!image.ptx && emulator::is_there())
    return {Verdict::kNotForDevice, "not for this device: the emulator executes PTX alone" + error};
  return {Verdict::kFailed, "is for this device, but does not load" + error};
}

void print(const ShippedImage& image, const Outcome& outcome) {
  const char* word = outcome.verdict == Verdict::kLoaded   ? "ok"
                     : outcome.verdict == Verdict::kFailed ? "BAD"
                                                           : "-";
  const std::string target = (image.ptx ? "compute_" : "sm_") + image.target;
  const std::string what =
      image.damage.empty() ? target + " " + image.source : "fatbin at byte " + std::to_string(image.at);
  std::printf("%-7s  %-44s %9zu bytes  %s\n", word, what.c_str(), image.fatbin.size(), outcome.why.c_str());
}

}  // namespace

int check_images(const std::vector<ShippedImage>& images) {
  setenv("CUDA_MODULE_LOADING", "EAGER",
         0);  // else a driver may put the load off until a kernel is asked for
  const cuda::DeviceTraits device = cuda::device_traits(0);
  const int capability = device.capability;
  std::printf("device   %s, compute capability %d.%d\n", device.name.c_str(), capability / 10,
              capability % 10);
  const cuda::DeviceContext context(0);
  const cuda::DeviceContext::Scope current(context);
  int counts[3] = {};
  for (const ShippedImage& image : images) {
    const Outcome outcome = load(image, capability);
    print(image, outcome);
    ++counts[static_cast<int>(outcome.verdict)];
  }
  const auto [loaded, not_for_device, failed] = counts;
  const bool bad = failed > 0 || loaded == 0;
  std::printf("%s: %d images loaded, %d not for this device, %d failed\n", bad ? "FAILED" : "PASSED", loaded,
              not_for_device, failed);
  return bad ? 1 : 0;
}

}  // namespace infcl::bench
