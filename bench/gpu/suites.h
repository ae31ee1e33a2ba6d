// The test suites of the CUDA backend that say something about a card, as programs that lie where the build
// has put them.
#pragma once

#include <string>
#include <vector>

#include "check_list.h"

namespace infcl::bench {

// Each suite with each choice of product kernels (values of INFCL_CUDA_PATH; "": what the process has).
// `quick`: one suite.
std::vector<CheckEntry> suite_checks(bool quick, const std::vector<std::string>& cuda_paths);

}  // namespace infcl::bench
