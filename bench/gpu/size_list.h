// Lists of sizes on the command line: 4096,16384.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace infcl::bench {

std::vector<std::string> split_list(const std::string& list);
// 0 for what is not a positive number, from its first character to its last.
int64_t read_size(const std::string& text);
// False unless every entry is a size and there is one.
bool read_sizes(const std::string& list, std::vector<int64_t>& sizes);

}  // namespace infcl::bench
