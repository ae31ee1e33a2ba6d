// Which kernels multiply: those of sm_80 anywhere, Hopper's own on a device of capability 9.0 unless
// INFCL_CUDA_PATH says otherwise. On emulated devices, so for a build that has PTX of sm_90a.
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "check.h"
#include "core/backends.h"
#include "core/errors.h"
#include "cuda/driver/device.h"
#include "cuda/kernel_images.h"
#include "engine_run.h"

namespace {

template <class F>
F* of_emulator(const char* symbol) {
  return reinterpret_cast<F*>(dlsym(dlopen(std::getenv("INFCL_CUDA_LIBRARY"), RTLD_NOW), symbol));
}

// A fresh device, and what is to multiply on it; "": not said.
void restart(const char* capability, const std::string& path) {
  setenv("INFCL_EMULATOR_SM", capability, 1);
  setenv("INFCL_CUDA_PATH", path.c_str(), 1);
  infcl::cuda::driver();
  of_emulator<void()>("infcl_emulator_reset")();
  infcl::cuda::driver().Init(0);
}

// What a call says of it, and whether Hopper's kernels ran.
struct Seen {
  std::string instructions;
  bool of_sm90 = false;
};

Seen solve() {
  infcl::ContrastiveRequest request;
  request.objective = infcl::make_objective(infcl::ObjectiveKind::kClip);
  request.logit_scale = 10;
  request.gradient = true;
  const cases::Case c{"path", request, 150, 150, 40};
  const auto backend = infcl::make_cuda_backend(0, infcl::settings_from_environment());
  const cases::Inputs inputs(c);
  const cases::Run run = cases::run(*backend, inputs.request(c));
  const std::string isa = run.result.stats.isa;
  const std::string launches = of_emulator<const char*()>("infcl_emulator_stats")();
  const bool all = launches.find("scores_forward_plain_two_planes_sm90_kernel") != std::string::npos &&
                   launches.find("scores_backward_plain_two_planes_sm90_kernel") != std::string::npos &&
                   launches.find("accumulate_two_planes_sm90_kernel") != std::string::npos;
  const bool any = launches.find("_sm90_kernel") != std::string::npos;
  CHECK(all == any, "some products of sm_90, others not");
  const cases::Errors errors = cases::compare(c, run, inputs.solve(c));
  CHECK(errors.loss <= 1e-5 && errors.gradient() <= 2e-4, "%s", cases::describe(c, errors).c_str());
  return {isa.substr(0, isa.find(' ')), all};
}

void expect(const char* capability, const char* path, const char* instructions, bool of_sm90) {
  restart(capability, path);
  const Seen seen = solve();
  CHECK(seen.instructions == instructions && seen.of_sm90 == of_sm90, "%s \"%s\": %s", capability, path,
        seen.instructions.c_str());
}

void expect_refusal(const char* capability, const char* path, const char* why) {
  restart(capability, path);
  try {
    solve();
    CHECK(false, "%s \"%s\" was taken", capability, path);
  } catch (const infcl::Error& e) {
    CHECK(e.code() == infcl::ErrorCode::kBackendUnavailable && std::strstr(e.what(), why), "%s", e.what());
  }
}

}  // namespace

int main() {
  const auto& images = infcl::cuda::kernel_images();
  const bool built = std::any_of(images.begin(), images.end(), [](const infcl::cuda::KernelImage& i) {
    return i.ptx && std::string(i.target) == "90a";
  });
  if (!built || !std::getenv("INFCL_CUDA_LIBRARY")) {
    std::printf("SKIPPED cuda_path_test: it needs the emulator and compute_90a in INFCL_CUDA_TARGETS\n");
    return 77;  // ctest shows it as skipped
  }
  expect("80", "", "sm_80", false);
  expect("89", "", "sm_89", false);
  expect("90", "", "sm_90a", true);
  expect("90", "sm90", "sm_90a", true);
  expect("90", "sm80", "sm_90", false);
  expect("120", "", "sm_120", false);
  expect_refusal("86", "sm90", "needs a device of capability 9.0 and a build for sm_90a");
  expect_refusal("90", "sm100", "Expected INFCL_CUDA_PATH to be sm80 or sm90 but received sm100");
  return check::summary();
}
