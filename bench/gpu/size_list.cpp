#include "size_list.h"

#include <cstdlib>
#include <sstream>

namespace infcl::bench {

std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

int64_t read_size(const std::string& text) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  return end == text.c_str() || *end || value < 0 ? 0 : value;
}

bool read_sizes(const std::string& list, std::vector<int64_t>& sizes) {
  sizes.clear();
  for (const std::string& word : split_list(list)) sizes.push_back(read_size(word));
  for (const int64_t size : sizes)
    if (size == 0) return false;
  return !sizes.empty();
}

}  // namespace infcl::bench
