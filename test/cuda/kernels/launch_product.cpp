// Launches of products: by the kernels of sm_80, or by those of sm_90, which want tensor maps of operands.
#include "cuda/tensor_maps.h"
#include "gpu.h"

namespace gpu {

namespace {

// NAME_kernel as NAME_sm90_kernel.
template <class Operands, class Args>
void launch_product(const std::string& kernel, const infcl::cuda::LaunchShape& shape,
                    const Operands& operands, const Args& args) {
  if (shape.empty()) return;
  if (!on_sm90()) return launch_raw(kernel, shape, {&args});
  const auto encode = reinterpret_cast<infcl::cuda::api::EncodeTensorMap>(find("cuTensorMapEncodeTiled"));
  const auto encoded = encode_maps(encode, operands);
  check("cuTensorMapEncodeTiled", encoded.result);
  const std::string name = kernel.substr(0, kernel.rfind("_kernel")) + "_sm90_kernel";
  launch_raw(name, infcl::cuda::on_sm90(shape), {&args, &encoded.maps});
}

}  // namespace

void launch(const std::string& kernel, const infcl::cuda::LaunchShape& shape,
            const infcl::cuda::ForwardArgs& args) {
  launch_product(kernel, shape, args.scores, args);
}

void launch(const std::string& kernel, const infcl::cuda::LaunchShape& shape,
            const infcl::cuda::BackwardArgs& args) {
  launch_product(kernel, shape, args.scores, args);
}

void launch(const std::string& kernel, const infcl::cuda::LaunchShape& shape,
            const infcl::cuda::AccumulateArgs& args) {
  launch_product(kernel, shape, args, args);
}

}  // namespace gpu
