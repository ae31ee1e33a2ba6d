// Finds the mounted hierarchies in mountinfo, the process's group in each, and the limits of
// all groups above.
#include "cpu/cgroup_quota.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

namespace infcl::cpu {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool contains(const std::vector<std::string>& parts, const std::string& wanted) {
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

// The first `count` words of a file, or fewer where the file ends.
std::vector<std::string> words_of(const std::string& file, size_t count) {
  std::vector<std::string> words;
  std::ifstream in(file);
  for (std::string word; words.size() < count && in >> word;) words.push_back(word);
  return words;
}

// The positive number that `text` consists of; 0 for any other text, such as "max" and "-1".
double positive(const std::string& text) {
  std::istringstream in(text);
  double value = 0;
  std::string rest;
  return in >> value && !(in >> rest) && value > 0 ? value : 0;
}

double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : kNoQuota; }

double quota_of_version_2(const std::string& folder) {
  const std::vector<std::string> words = words_of(folder + "/cpu.max", 2);
  if (words.empty()) return kNoQuota;
  constexpr double kDefaultPeriod = 100000;  // microseconds: the default of Linux
  return ratio(positive(words[0]), words.size() > 1 ? positive(words[1]) : kDefaultPeriod);
}

double quota_of_version_1(const std::string& folder) {
  const std::vector<std::string> quota = words_of(folder + "/cpu.cfs_quota_us", 1);
  const std::vector<std::string> period = words_of(folder + "/cpu.cfs_period_us", 1);
  return quota.empty() || period.empty() ? kNoQuota : ratio(positive(quota[0]), positive(period[0]));
}

// Decodes a folder of mountinfo, which writes a blank as an octal code: "\040".
std::string unescape(const std::string& text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                         is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (escaped)
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    else
      out += text[i];
    if (escaped) i += 3;
  }
  return out;
}

// The folder of a hierarchy of groups.
struct Mount {
  bool version_2 = false;
  std::string top;    // the group that is mounted there
  std::string point;  // the folder of that group
};

// Parses a line of mountinfo: "36 25 0:31 /top /point rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct".
bool parse_mount(const std::string& line, Mount& out) {
  const std::vector<std::string> words = split(line, ' ');
  const auto dash = std::find(words.begin(), words.end(), "-");
  if (dash - words.begin() < 6 || words.end() - dash < 4) return false;
  out.version_2 = dash[1] == "cgroup2";
  if (!out.version_2 && (dash[1] != "cgroup" || !contains(split(dash[3], ','), "cpu"))) return false;
  out.top = unescape(words[3]);
  out.point = unescape(words[4]);
  return true;
}

// The path of this process's group in a hierarchy, from a line like "4:cpu,cpuacct:/docker/1f", or
// "0::/user.slice" in version 2. "" where no line matches.
std::string group_path(const std::string& root, bool version_2) {
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool found = version_2 ? line.compare(0, first, "0") == 0 && controllers.empty()
                                 : contains(split(controllers, ','), "cpu");
    if (found) return line.substr(second + 1);
  }
  return "";
}

// The smallest limit of this process's group and all mounted groups above it. A path that does not lie below
// the mounted group belongs to another namespace: then the mounted group is the process's own.
double quota_in(const std::string& root, const Mount& mount) {
  std::string path = group_path(root, mount.version_2);
  if (path.empty()) return kNoQuota;
  const std::string top = mount.top == "/" ? "" : mount.top;
  const bool below = path[0] == '/' && path.compare(0, top.size(), top) == 0 &&
                     (path.size() == top.size() || path[top.size()] == '/') &&
                     !contains(split(path, '/'), "..");
  path = below ? path.substr(top.size()) : "";
  double least = kNoQuota;
  for (;;) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    const std::string folder = root + mount.point + path;
    least = std::min(least, mount.version_2 ? quota_of_version_2(folder) : quota_of_version_1(folder));
    if (path.empty()) return least;
    path.erase(path.find_last_of('/'));
  }
}

}  // namespace

double cgroup_quota(const std::string& root) {
  double least = kNoQuota;
  std::ifstream in(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    Mount mount;
    if (parse_mount(line, mount)) least = std::min(least, quota_in(root, mount));
  }
  return least;
}

}  // namespace infcl::cpu
