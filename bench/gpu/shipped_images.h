// Finds the CUDA images in a file that was built: an addon, or a program with the backend inside.
#pragma once

#include <string>
#include <vector>

namespace infcl::bench {

struct ShippedImage {
  size_t at = 0;                      // where the image's fatbin lies in the file
  std::vector<unsigned char> fatbin;  // to be loaded
  std::string source, target;         // "split.cu", "90a"
  bool ptx = false;                   // else machine code
  std::string damage;                 // why the fatbin cannot be read; "" if it can
};

// Throws UsageError where the file cannot be read or has no image.
std::vector<ShippedImage> find_images(const std::string& path);

}  // namespace infcl::bench
