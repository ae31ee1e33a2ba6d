// Asks macOS which features of the table an arm64 processor has. Built, not run.
#include <sys/sysctl.h>

#include "cpu/cpu_features.h"

namespace infcl::cpu {

namespace {

// A name that this macOS does not know is a feature that programs must not use.
bool has(const char* name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

CpuFeatures ask() {
  CpuFeatures found = 0;
  if (has("hw.optional.armv8_crc32")) found |= kCrc;
  if (has("hw.optional.arm.FEAT_LSE") || has("hw.optional.armv8_1_atomics")) found |= kLse;
  if (has("hw.optional.arm.FEAT_RDM")) found |= kRdma;
  if (has("hw.optional.arm.FEAT_BF16")) found |= kBf16;
  return found;
}

}  // namespace

CpuFeatures cpu_features() {
  static const CpuFeatures found = ask();
  return found;
}

}  // namespace infcl::cpu
