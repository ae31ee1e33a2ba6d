// The kernels as functions: finds the image for a device, and has one typed launch for each kernel. Grids and
// shared memory come from kernels/launch_shapes.h.
#pragma once

#include <string>
#include <vector>

#include "cuda/driver/memory.h"
#include "cuda/kernel_images.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/kernels/launch_shapes.h"

namespace infcl::cuda {

// The form of features and of G in products: planes of 16 bits.
enum class Precision {
  kBFloat16,   // one plane
  kFloat16,    // one plane; g_scale brings G into its range
  kTwoPlanes,  // two planes of bfloat16, three products: float32 but for its last bits
};
constexpr int kPrecisions = 3;
constexpr int planes_of(Precision p) { return p == Precision::kTwoPlanes ? 2 : 1; }

class Kernels {
 public:
  // `path`: the value of INFCL_CUDA_PATH, "sm80" or "sm90"; "": the device decides. Throws Error
  // (kBackendUnavailable) if no image runs on a device of this capability, or if the wanted path cannot run.
  Kernels(int capability, const std::string& path);

  // "sm_86": the device's own; "sm_90a": with the instructions that only Hopper has.
  std::string instruction_set() const { return "sm_" + std::to_string(capability_) + (sm90_ ? "a" : ""); }

  // The loaded image: "sm_90a, machine code" or "compute_80, compiled by the driver".
  const std::string& image() const { return image_; }

  void scores_forward(const Stream&, Precision, bool label_smoothing, const ForwardArgs&) const;
  void scores_backward(const Stream&, Precision, const BackwardArgs&) const;
  void accumulate(const Stream&, Precision, const AccumulateArgs&) const;
  void reduce(const Stream&, const ReduceArgs&) const;
  void sum_tiles(const Stream&, const SumTilesArgs&) const;
  void split(const Stream&, const SplitArgs&) const;
  void pair_dots(const Stream&, const PairArgs&) const;
  void pair_gradients(const Stream&, const PairArgs&) const;

 private:
  struct Kernel {
    api::Function function = nullptr;
    std::string name;
  };
  // Loads the images for the first target, completed by those of the others. False, with the reason, if an
  // image does not load.
  bool load(const std::vector<ImageTarget>& targets, std::string& error);
  bool use_sm90(const std::string& path) const;
  void find_all();
  api::Function look_up(const std::string& name) const;  // null: no such kernel
  Kernel find(const std::string& name) const;
  static void launch(const Stream&, const Kernel&, const LaunchShape&, void** arguments);
  template <class Args>
  static void launch(const Stream&, const Kernel&, const LaunchShape&, const Args&);
  template <class Operands, class Args>
  void launch_product(const Stream&, const Kernel&, const LaunchShape&, const Operands&, const Args&) const;

  const int capability_;
  std::string image_;
  std::vector<Module> modules_;
  bool sm90_ = false;                                          // products use the kernels of NAME_sm90.cu
  Kernel forward_[kPrecisions][2], backward_[kPrecisions][2];  // plain, general
  Kernel accumulate_[kPrecisions];
  Kernel accumulate_skipping_[kPrecisions];  // has no sm_90 form
  Kernel reduce_, sum_tiles_, split_, pair_dots_, pair_gradients_;
};

}  // namespace infcl::cuda
