// Walks the list of kernel tables. Knows no instruction set by name.
#include "cpu/isa_dispatch.h"

#include "core/errors.h"

namespace infcl::cpu {

namespace {

// The first table needs nothing that the rest of the library does not need.
bool can_run(const Kernels* k, CpuFeatures has) { return k == kKernelTables[0] || covers(has, k->features); }

bool multiplies_bfloat16(const Kernels* k) { return k->pair == 2; }

}  // namespace

std::vector<const Kernels*> available_kernels(CpuFeatures has) {
  std::vector<const Kernels*> found;
  for (const Kernels* k : kKernelTables)
    if (can_run(k, has) && !multiplies_bfloat16(k)) found.push_back(k);
  return found;
}

const Kernels& select_kernels(const std::string& wanted, bool bfloat16, CpuFeatures has) {
  const Kernels* chosen = nullptr;
  std::string known;
  bool named = false;  // the last float32 kernels seen are those that `wanted` names
  for (const Kernels* k : kKernelTables) {
    if (!can_run(k, has)) continue;
    if (!multiplies_bfloat16(k)) {
      named = wanted.empty() || k->isa == wanted;
      known += known.empty() ? k->isa : std::string(", ") + k->isa;
    }
    if (named && (bfloat16 || !multiplies_bfloat16(k))) chosen = k;
  }
  if (!chosen)
    throw Error(ErrorCode::kIsa, "isa",
                "Expected one of " + known + " for INFCL_ISA but received " + wanted +
                    " (not available on this machine)");
  return *chosen;
}

}  // namespace infcl::cpu
