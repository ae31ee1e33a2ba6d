// The emulator behind gpu.h, started afresh for each mutant: faults stick to a device until it is forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "mutation_ptx.h"

namespace mutation {

// Forgets the device and all that was on it; the next one is of sm_80 or of sm_90. Until the next call
// `kernel` runs as `text`; all others as they are.
void restart(bool sm90, const std::string& kernel, const std::string& text);
const KernelText& original(const std::string& kernel);
// What the emulator counted in all launches of the kernel since then.
using Counts = std::map<std::string, uint64_t>;
Counts counts(const std::string& kernel);
std::string last_error();  // of the emulator, in words

}  // namespace mutation
