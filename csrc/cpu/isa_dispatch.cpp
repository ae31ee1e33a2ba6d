#include "cpu/isa_dispatch.h"

#include <cstdlib>
#include <string>

#include "core/errors.h"

namespace infcl {

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> all{&scalar_kernels()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&avx2_kernels());
  if (__builtin_cpu_supports("avx512f")) all.push_back(&avx512_kernels());
#endif
  return all;
}

const Kernels& select_kernels(bool bfloat16) {
  const std::vector<const Kernels*> all = available_kernels();
  const Kernels* chosen = nullptr;
  const char* wanted = std::getenv("INFCL_ISA");
  std::string known;
  for (const Kernels* k : all) {
    if (!wanted || !*wanted || std::string(k->isa) == wanted) chosen = k;
    known += known.empty() ? k->isa : std::string(", ") + k->isa;
  }
  if (!chosen)
    throw Error(ErrorCode::kIsa, "isa",
                "Expected one of " + known + " for INFCL_ISA but received " + wanted +
                    " (not available on this machine)");
#if defined(__x86_64__)
  if (bfloat16 && chosen == &avx512_kernels() && __builtin_cpu_supports("avx512bf16"))
    return avx512bf16_kernels();
#endif
  return *chosen;
}

}  // namespace infcl
