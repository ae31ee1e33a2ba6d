// Finds the mounted hierarchies in mountinfo, the process's group in each, and the limits of all groups
// above. C's functions read the files, because streams would add 0.45 MB to a binary with libstdc++ inside.
#include "cpu/cgroup_quota.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace infcl::cpu {

namespace {

// The parts between separators. An empty part at the end does not count.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// All bytes of a file; "" where the file cannot be read.
std::string contents_of(const std::string& file) {
  std::string text;
  std::FILE* in = std::fopen(file.c_str(), "rb");
  if (!in) return text;
  char bytes[4096];
  for (size_t count; (count = std::fread(bytes, 1, sizeof bytes, in)) > 0;) text.append(bytes, count);
  std::fclose(in);
  return text;
}

std::vector<std::string> lines_of(const std::string& file) { return split(contents_of(file), '\n'); }

bool contains(const std::vector<std::string>& parts, const std::string& wanted) {
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

// The first `count` words of a file, or fewer where the file ends.
std::vector<std::string> words_of(const std::string& file, size_t count) {
  constexpr char kBlanks[] = " \t\r\n";
  const std::string text = contents_of(file);
  std::vector<std::string> words;
  for (size_t end = 0; words.size() < count;) {
    const size_t begin = text.find_first_not_of(kBlanks, end);
    if (begin == std::string::npos) break;
    end = std::min(text.find_first_of(kBlanks, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
  }
  return words;
}

// The positive number that `text` consists of; 0 for any other text, such as "max" and "-1".
double positive(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' && value > 0 && std::isfinite(value) ? value : 0;
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
  for (const std::string& line : lines_of(root + "/proc/self/cgroup")) {
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
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    Mount mount;
    if (parse_mount(line, mount)) least = std::min(least, quota_in(root, mount));
  }
  return least;
}

}  // namespace infcl::cpu
