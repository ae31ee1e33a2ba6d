// Command lines of gpu-check and gpu-bench: flags, options of one value, and values that are lists. What is
// wrong with a command line is an error that says so, before any work.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace infcl::bench {

// A command line that is not understood. A program prints the message and ends with status 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Flag {
  std::string name;
  bool* set;
};
struct Option {
  std::string name;
  std::function<void(const std::string& value)> read;  // throws UsageError
};
// Throws UsageError for an unknown word, a missing value, or a value that an option refuses.
void read_command_line(int argc, char** argv, const std::vector<Flag>&, const std::vector<Option>&);

std::vector<std::string> split_list(const std::string& list);
std::string join(const std::vector<std::string>& words, const char* between);

// Options whose value is a list of sizes (4096,16384), one size, or a number of seconds above 0.
Option sizes_option(const std::string& name, std::vector<int64_t>& sizes);
Option size_option(const std::string& name, int& size);
Option seconds_option(const std::string& name, double& seconds);

}  // namespace infcl::bench
