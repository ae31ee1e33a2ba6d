// Asks Linux which features of the table an arm64 processor has. Linux reports them in two words of bits.
#include <sys/auxv.h>

#include "cpu/cpu_features.h"

namespace infcl::cpu {

namespace {

// Bits of the interface of Linux (asm/hwcap.h). Headers of old systems lack the last one.
constexpr unsigned long kHwcapCrc = 1ul << 7, kHwcapLse = 1ul << 8, kHwcapRdma = 1ul << 12;
constexpr unsigned long kHwcap2Bf16 = 1ul << 14;

}  // namespace

CpuFeatures cpu_features() {
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  CpuFeatures found = 0;
  if (first & kHwcapCrc) found |= kCrc;
  if (first & kHwcapLse) found |= kLse;
  if (first & kHwcapRdma) found |= kRdma;
  if (second & kHwcap2Bf16) found |= kBf16;
  return found;
}

}  // namespace infcl::cpu
