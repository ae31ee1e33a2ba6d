#include "mutation_ptx.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace mutation {

namespace {

constexpr const char* kSources[] = {
    "scores_forward", "scores_backward",     "accumulate",           "reduce",          "split",
    "pairs",          "scores_forward_sm90", "scores_backward_sm90", "accumulate_sm90", "accumulate_skipping",
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

std::vector<std::string> split_lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Names of `.file` directives by their numbers.
std::vector<std::string> file_names(const std::string& text) {
  std::vector<std::string> names(1);
  const std::regex directive("\\.file\\s+(\\d+) \"([^\"]+)\"");
  for (std::sregex_iterator at(text.begin(), text.end(), directive), end; at != end; ++at) {
    const size_t number = std::stoul((*at)[1]);
    if (names.size() <= number) names.resize(number + 1);
    names[number] = base_name((*at)[2]);
  }
  return names;
}

bool is_code(const std::string& line) {
  const size_t first = line.find_first_not_of(" \t");
  return first != std::string::npos && line[first] != '.' && line.compare(first, 2, "//") != 0;
}

}  // namespace

KernelText::KernelText(const std::string& kernel) : kernel_(kernel) {
  for (const char* source : kSources) {
    const std::string all = read_file(std::string(INFCL_KERNEL_PTX_DIR "/") + source + ".ptx");
    const size_t first = all.find(".visible .entry"), begin = all.find(".visible .entry " + kernel + "(");
    if (begin == std::string::npos) continue;
    const size_t names = all.find("\t.file\t", begin);
    const size_t end = std::min(all.find(".visible .entry", begin + 1), names);
    before_ = all.substr(0, first);
    after_ = all.substr(names);
    files_ = file_names(after_);
    attribute(all.substr(begin, end - begin));
    return;
  }
  throw std::runtime_error("no kernel " + kernel);
}

void KernelText::attribute(const std::string& body) {
  Line at;
  for (const std::string& text : split_lines(body)) {
    if (const size_t loc = text.find(".loc"); loc != std::string::npos) {
      char* next;
      at.file = static_cast<int>(std::strtol(text.c_str() + loc + 4, &next, 10));
      at.source_line = static_cast<int>(std::strtol(next, nullptr, 10));
    }
    at.text = text;
    lines_.push_back(at);
  }
}

std::string KernelText::text() const {
  std::string out = before_;
  for (const Line& line : lines_) out += line.text + '\n';
  return out + after_;
}

std::set<int> KernelText::source_lines(const Place& place) const {
  const std::vector<std::string> lines =
      split_lines(read_file(std::string(INFCL_KERNEL_DIR "/") + place.file));
  std::set<int> found;
  for (size_t i = 0; i < lines.size(); ++i)
    if (lines[i].find(place.source) != std::string::npos) found.insert(static_cast<int>(i) + 1);
  if (found.empty()) throw std::runtime_error(std::string(place.file) + " has no line with: " + place.source);
  return found;
}

std::vector<size_t> KernelText::find(const Place& place) const {
  const bool anywhere = !*place.file;
  const std::set<int> wanted = anywhere ? std::set<int>() : source_lines(place);
  const std::regex pattern(place.pattern);
  const std::string name = base_name(place.file);
  std::vector<size_t> found;
  for (size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    const bool here =
        anywhere || (wanted.count(line.source_line) && files_[static_cast<size_t>(line.file)] == name);
    if (here && is_code(line.text) && std::regex_search(line.text, pattern)) found.push_back(i);
  }
  if (static_cast<int>(found.size()) != place.matches)
    throw std::runtime_error(kernel_ + ": " + place.pattern + " occurs " + std::to_string(found.size()) +
                             " times, not " + std::to_string(place.matches) + ", in what is made of " +
                             place.file + ": " + place.source);
  return found;
}

void KernelText::apply(const Edit& edit) {
  const std::vector<size_t> found = find(edit.place);
  if (edit.which >= static_cast<int>(found.size())) throw std::runtime_error(kernel_ + ": no such match");
  for (size_t i = 0; i < found.size(); ++i) {
    if (edit.which != kEach && edit.which != static_cast<int>(i)) continue;
    std::string& line = lines_[found[i]].text;
    const std::string before = line;
    line = *edit.replacement ? std::regex_replace(line, std::regex(edit.place.pattern), edit.replacement)
                             : std::string();
    if (line == before) throw std::runtime_error(kernel_ + ": the edit changes nothing in " + before);
  }
}

std::string KernelText::text_with(const std::vector<Edit>& edits) const {
  KernelText mutant(*this);
  for (const Edit& edit : edits) mutant.apply(edit);
  return mutant.text();
}

}  // namespace mutation
