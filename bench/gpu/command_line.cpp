#include "command_line.h"

#include <cmath>
#include <cstdlib>
#include <sstream>

namespace infcl::bench {

namespace {

constexpr int64_t kLargestSize = 100000000;  // keeps rows x dim x bytes within 64 bits

int64_t read_size(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str() || *end || value < 1 || value > kLargestSize)
    throw UsageError(option + " takes whole numbers from 1 to " + std::to_string(kLargestSize) +
                     " but received '" + text + "'");
  return value;
}

}  // namespace

void read_command_line(int argc, char** argv, const std::vector<Flag>& flags,
                       const std::vector<Option>& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    bool known = false;
    for (const Flag& flag : flags)
      if (flag.name == word) *flag.set = known = true;
    for (const Option& option : options) {
      if (option.name != word) continue;
      if (i + 1 == argc) throw UsageError(word + " needs a value");
      option.read(argv[++i]);
      known = true;
      break;
    }
    if (!known) throw UsageError("unknown option '" + word + "'");
  }
}

std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

std::string join(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

Option sizes_option(const std::string& name, std::vector<int64_t>& sizes) {
  return {name, [name, &sizes](const std::string& value) {
            sizes.clear();
            for (const std::string& word : split_list(value)) sizes.push_back(read_size(name, word));
            if (sizes.empty()) read_size(name, value);  // says what is expected
          }};
}

Option size_option(const std::string& name, int& size) {
  return {name, [name, &size](const std::string& value) { size = static_cast<int>(read_size(name, value)); }};
}

Option seconds_option(const std::string& name, double& seconds) {
  return {name, [name, &seconds](const std::string& value) {
            char* end = nullptr;
            seconds = std::strtod(value.c_str(), &end);
            if (end == value.c_str() || *end || !std::isfinite(seconds) || seconds <= 0)
              throw UsageError(name + " takes a number of seconds above 0 but received '" + value + "'");
          }};
}

}  // namespace infcl::bench
