// What a device must bear beyond right answers: many calls, an abort in the middle, features in slabs, more
// than its memory.
#pragma once

#include <vector>

#include "check_list.h"

namespace infcl::bench {

std::vector<CheckEntry> device_checks(bool quick);

}  // namespace infcl::bench
