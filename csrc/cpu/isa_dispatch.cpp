#include "cpu/isa_dispatch.h"

#include "core/errors.h"

namespace infcl::cpu {

std::vector<const Kernels*> available_kernels(CpuFeatures has) {
  std::vector<const Kernels*> all{&kScalarKernels};
#if defined(__x86_64__)
  for (const Kernels* k : {&kAvx2Kernels, &kAvx512Kernels})
    if (covers(has, k->features)) all.push_back(k);
#else
  (void)has;
#endif
  return all;
}

const Kernels& select_kernels(const std::string& wanted, bool bfloat16, CpuFeatures has) {
  const Kernels* chosen = nullptr;
  std::string known;
  for (const Kernels* k : available_kernels(has)) {
    if (wanted.empty() || k->isa == wanted) chosen = k;
    known += known.empty() ? k->isa : std::string(", ") + k->isa;
  }
  if (!chosen)
    throw Error(ErrorCode::kIsa, "isa",
                "Expected one of " + known + " for INFCL_ISA but received " + wanted +
                    " (not available on this machine)");
#if defined(__x86_64__)
  if (bfloat16 && chosen == &kAvx512Kernels && covers(has, kAvx512Bf16Kernels.features))
    return kAvx512Bf16Kernels;
#else
  (void)bfloat16;
#endif
  return *chosen;
}

}  // namespace infcl::cpu
