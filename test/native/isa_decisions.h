// What the tests of decisions about processors of every family share. isa_decisions_x64.h and
// isa_decisions_arm64.h name the processors.
#pragma once

#include <string>
#include <vector>

#include "check.h"
#include "core/errors.h"
#include "cpu/isa_dispatch.h"

namespace decisions {

using namespace infcl::cpu;

constexpr CpuFeatures kEveryFeature = (CpuFeatures{1} << kCpuFeatureCount) - 1;

inline std::string names_of(const std::vector<const Kernels*>& kernels) {
  std::string names;
  for (const Kernels* k : kernels) names += std::string(k->isa) + " ";
  return names;
}

// Without any one of the features that a file was compiled for, its kernels are not offered.
inline void test_each_feature_is_needed() {
  for (const Kernels* k : kKernelTables)
    for (int i = 0; i < kCpuFeatureCount; ++i) {
      const CpuFeatures feature = CpuFeatures{1} << i, has = kEveryFeature & ~feature;
      if (k == &kScalarKernels || !(k->features & feature)) continue;
      bool offered = &select_kernels("", true, has) == k;
      for (const Kernels* one : available_kernels(has)) offered = offered || one == k;
      CHECK(!offered, "%s without %s", k->isa, feature_names(feature).c_str());
    }
}

// A processor with the features `has` gets an error for this name, which lists what it has.
inline void test_refusal(const std::string& wanted, CpuFeatures has, const std::string& known) {
  try {
    select_kernels(wanted, false, has);
    CHECK(false, "%s was taken, of %s", wanted.c_str(), feature_names(has).c_str());
  } catch (const infcl::Error& e) {
    const std::string expected = "[isa] Expected one of " + known + " for INFCL_ISA but received " + wanted +
                                 " (not available on this machine)";
    CHECK(e.code() == infcl::ErrorCode::kIsa && e.what() == expected, "%s", e.what());
  }
}

}  // namespace decisions
