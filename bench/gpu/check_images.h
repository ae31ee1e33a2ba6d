// Loads every CUDA image of a built file on the device: what is shipped, rather than what the tests compile.
#pragma once

#include <vector>

#include "shipped_images.h"

namespace infcl::bench {

// Prints one line for each image and a line of counts. The exit status of gpu-check: 0 or 1.
int check_images(const std::vector<ShippedImage>&);

}  // namespace infcl::bench
