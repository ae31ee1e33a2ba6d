#include "cuda/kernels.h"

#include "core/errors.h"
#include "cuda/kernel_images.h"

namespace infcl::cuda {

namespace {

constexpr const char* kPrecisionNames[kPrecisions] = {"bf16", "f16", "bf16x3"};

int index_of(Precision p) { return static_cast<int>(p); }

}  // namespace

Kernels::Kernels(int capability) {
  std::string error = "this build carries none for it";
  for (const ImageTarget& target : targets_for(kernel_images(), capability))
    if (load(target.name, target.ptx, error)) {
      find_all();
      return;
    }
  throw Error(ErrorCode::kBackendUnavailable, "cuda",
              "no kernels for a device of capability " + std::to_string(capability / 10) + "." +
                  std::to_string(capability % 10) + ": " + error);
}

bool Kernels::load(const std::string& target, bool ptx, std::string& error) {
  modules_.clear();
  for (const KernelImage& image : kernel_images()) {
    if (image.target != target || image.ptx != ptx) continue;
    api::Result result = api::kSuccess;
    modules_.emplace_back(image.data, result);
    if (result == api::kOutOfMemory) check(result, "cuModuleLoadData");
    if (result == api::kSuccess) continue;
    const char* name = nullptr;
    driver().GetErrorName(result, &name);
    error = std::string(image.source) + " for " + target + ": " + (name ? name : "unknown error");
    modules_.clear();
    return false;
  }
  return true;
}

void Kernels::find_all() {
  for (int p = 0; p < kPrecisions; ++p) {
    const std::string suffix = std::string("_") + kPrecisionNames[p] + "_kernel";
    for (int general = 0; general < 2; ++general) {
      const std::string rules = general ? "_general" : "_plain";
      forward_[p][general] = find("scores_forward" + rules + suffix);
      backward_[p][general] = find("scores_backward" + rules + suffix);
    }
    accumulate_[p] = find("accumulate" + suffix);
  }
  reduce_ = find("reduce_kernel");
  sum_tiles_ = find("sum_tiles_kernel");
  split_ = find("split_kernel");
  pair_dots_ = find("pair_dots_kernel");
  pair_gradients_ = find("pair_gradients_kernel");
}

Kernels::Kernel Kernels::find(const std::string& name) const {
  for (const Module& module : modules_)
    if (const api::Function function = module.find(name.c_str())) return {function, name};
  throw Error(ErrorCode::kInternal, "cuda", "no kernel " + name + " in this build");
}

template <class Args>
void Kernels::launch(const Stream& stream, const Kernel& kernel, const LaunchShape& shape, const Args& args) {
  if (shape.empty()) return;
  const int shared = static_cast<int>(shape.dynamic_shared_bytes);
  if (shared > 0)
    check(driver().FuncSetAttribute(kernel.function, api::kMaxDynamicSharedBytes, shared),
          kernel.name.c_str());
  void* arguments[] = {const_cast<Args*>(&args)};
  check(driver().LaunchKernel(kernel.function, shape.grid_x, shape.grid_y, shape.grid_z, shape.threads, 1, 1,
                              shape.dynamic_shared_bytes, stream.get(), arguments, nullptr),
        kernel.name.c_str());
}

void Kernels::scores_forward(const Stream& s, Precision p, bool label_smoothing, const ForwardArgs& a) const {
  const bool general = !is_plain(a.scores.rules, label_smoothing);
  launch(s, forward_[index_of(p)][general], scores_shape(a.scores), a);
}

void Kernels::scores_backward(const Stream& s, Precision p, const BackwardArgs& a) const {
  const bool general = !is_plain(a.scores.rules, a.row_uniform || a.column_uniform);
  launch(s, backward_[index_of(p)][general], scores_shape(a.scores), a);
}

void Kernels::accumulate(const Stream& s, Precision p, const AccumulateArgs& a) const {
  launch(s, accumulate_[index_of(p)], accumulate_shape(a), a);
}

void Kernels::reduce(const Stream& s, const ReduceArgs& a) const { launch(s, reduce_, reduce_shape(a), a); }

void Kernels::sum_tiles(const Stream& s, const SumTilesArgs& a) const {
  launch(s, sum_tiles_, sum_tiles_shape(a), a);
}

void Kernels::split(const Stream& s, const SplitArgs& a) const { launch(s, split_, split_shape(a), a); }

void Kernels::pair_dots(const Stream& s, const PairArgs& a) const {
  launch(s, pair_dots_, pair_dots_shape(a), a);
}

void Kernels::pair_gradients(const Stream& s, const PairArgs& a) const {
  launch(s, pair_gradients_, pair_gradients_shape(a), a);
}

}  // namespace infcl::cuda
