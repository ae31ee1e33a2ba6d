// Loads the kernels' image, finds the kernels by name and launches them.
#include "cuda/launcher.h"

#include "core/errors.h"
#include "cuda/tensor_maps.h"

namespace infcl::cuda {

namespace {

constexpr const char* kPrecisionNames[kPrecisions] = {"bf16", "f16", "two_planes"};

int index_of(Precision p) { return static_cast<int>(p); }

[[noreturn]] void unavailable(const std::string& why) {
  throw Error(ErrorCode::kBackendUnavailable, "cuda", why);
}

}  // namespace

Kernels::Kernels(int capability, const std::string& path) : capability_(capability) {
  std::string error = "this build carries none for it";
  std::vector<ImageTarget> targets = targets_for(kernel_images(), capability);
  for (; !targets.empty(); targets.erase(targets.begin()))
    if (load(targets, error)) {
      const ImageTarget& target = targets.front();
      image_ = target.ptx ? "compute_" + target.name + ", compiled by the driver"
                          : "sm_" + target.name + ", machine code";
      sm90_ = use_sm90(path);
      find_all();
      return;
    }
  unavailable("no kernels for a device of capability " + std::to_string(capability / 10) + "." +
              std::to_string(capability % 10) + ": " + error);
}

bool Kernels::load(const std::vector<ImageTarget>& targets, std::string& error) {
  modules_.clear();
  for (const KernelImage* image : images_for(kernel_images(), targets)) {
    api::Result result = api::kSuccess;
    modules_.emplace_back(image->data, result);
    if (result == api::kOutOfMemory) check(result, "cuModuleLoadData");
    if (result == api::kSuccess) continue;
    const char* name = nullptr;
    driver().GetErrorName(result, &name);
    error = std::string(image->source) + " for " + image->target + ": " + (name ? name : "unknown error");
    modules_.clear();
    return false;
  }
  return true;
}

bool Kernels::use_sm90(const std::string& path) const {
  if (!path.empty() && path != "sm80" && path != "sm90")
    unavailable("Expected INFCL_CUDA_PATH to be sm80 or sm90 but received " + path);
  if (path == "sm80") return false;
  const char* missing = nullptr;
  if (capability_ != 90 || !look_up("accumulate_bf16_sm90_kernel"))
    missing = "a device of capability 9.0 and a build for sm_90a";
  else if (!driver().TensorMapEncodeTiled)
    missing = "a driver that has cuTensorMapEncodeTiled";
  if (missing && path == "sm90") unavailable(std::string("INFCL_CUDA_PATH=sm90 needs ") + missing);
  return !missing;
}

void Kernels::find_all() {
  for (int p = 0; p < kPrecisions; ++p) {
    const std::string suffix = std::string("_") + kPrecisionNames[p] + (sm90_ ? "_sm90_kernel" : "_kernel");
    for (int general = 0; general < 2; ++general) {
      const std::string kind = general ? "_general" : "_plain";
      forward_[p][general] = find("scores_forward" + kind + suffix);
      backward_[p][general] = find("scores_backward" + kind + suffix);
    }
    accumulate_[p] = find("accumulate" + suffix);
    accumulate_skipping_[p] = find(std::string("accumulate_skipping_") + kPrecisionNames[p] + "_kernel");
  }
  reduce_ = find("reduce_kernel");
  sum_tiles_ = find("sum_tiles_kernel");
  split_ = find("split_kernel");
  pair_dots_ = find("pair_dots_kernel");
  pair_gradients_ = find("pair_gradients_kernel");
}

api::Function Kernels::look_up(const std::string& name) const {
  for (const Module& module : modules_)
    if (const api::Function function = module.find(name.c_str())) return function;
  return nullptr;
}

Kernels::Kernel Kernels::find(const std::string& name) const {
  if (const api::Function function = look_up(name)) return {function, name};
  throw Error(ErrorCode::kInternal, "cuda", "no kernel " + name + " in this build");
}

void Kernels::launch(const Stream& stream, const Kernel& kernel, const LaunchShape& shape, void** arguments) {
  if (shape.empty()) return;
  const int shared = static_cast<int>(shape.dynamic_shared_bytes);
  if (shared > 0)
    check(driver().FuncSetAttribute(kernel.function, api::kMaxDynamicSharedBytes, shared),
          kernel.name.c_str());
  check(driver().LaunchKernel(kernel.function, shape.grid_x, shape.grid_y, shape.grid_z, shape.threads, 1, 1,
                              shape.dynamic_shared_bytes, stream.get(), arguments, nullptr),
        kernel.name.c_str());
}

template <class Args>
void Kernels::launch(const Stream& stream, const Kernel& kernel, const LaunchShape& shape, const Args& args) {
  void* arguments[] = {const_cast<Args*>(&args)};
  launch(stream, kernel, shape, arguments);
}

// `operands`: the product's operands, for which sm_90 needs tensor maps.
template <class Operands, class Args>
void Kernels::launch_product(const Stream& stream, const Kernel& kernel, const LaunchShape& shape,
                             const Operands& operands, const Args& args) const {
  if (!sm90_ || shape.empty()) return launch(stream, kernel, shape, args);
  auto encoded = encode_maps(driver().TensorMapEncodeTiled, operands);
  check(encoded.result, "cuTensorMapEncodeTiled");
  void* arguments[] = {const_cast<Args*>(&args), &encoded.maps};
  launch(stream, kernel, on_sm90(shape), arguments);
}

void Kernels::scores_forward(const Stream& s, Precision p, bool label_smoothing, const ForwardArgs& a) const {
  const bool general = !is_plain(a.scores.mask, label_smoothing);
  launch_product(s, forward_[index_of(p)][general], scores_shape(a.scores), a.scores, a);
}

void Kernels::scores_backward(const Stream& s, Precision p, const BackwardArgs& a) const {
  const bool general = a.filters || !is_plain(a.scores.mask, a.row_uniform || a.column_uniform);
  launch_product(s, backward_[index_of(p)][general], scores_shape(a.scores), a.scores, a);
}

void Kernels::accumulate(const Stream& s, Precision p, const AccumulateArgs& a) const {
  if (a.tile_sums) return launch(s, accumulate_skipping_[index_of(p)], accumulate_shape(a), a);
  launch_product(s, accumulate_[index_of(p)], accumulate_shape(a), a, a);
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
