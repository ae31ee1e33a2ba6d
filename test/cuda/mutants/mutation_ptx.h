// PTX of one kernel as lines that know which line of CUDA source they come from, and edits of it.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace mutation {

// Where an edit belongs: instructions with the pattern (ECMAScript) that stem from those lines of `file` that
// contain `source`, or with an empty `file` from anywhere. There must be exactly `matches` of them.
struct Place {
  const char *file, *source, *pattern;
  int matches;
};

constexpr int kEach = -1;

struct Edit {
  Place place;
  int which;                // of the matches, in the order of the text; or kEach
  const char* replacement;  // of the pattern, as std::regex_replace takes it; "" removes the instruction
};

class KernelText {
 public:
  // Reads `kernel` from the PTX file that defines it.
  explicit KernelText(const std::string& kernel);

  std::string text() const;
  // Throws unless every edit's place is found exactly as often as it says, and every edited line changes.
  std::string text_with(const std::vector<Edit>&) const;

 private:
  struct Line {
    std::string text;
    int file = 0, source_line = 0;  // 0: none
  };
  void attribute(const std::string& body);
  void apply(const Edit&);
  std::vector<size_t> find(const Place&) const;
  std::set<int> source_lines(const Place&) const;

  std::string kernel_, before_, after_;
  std::vector<std::string> files_;  // index: number in the PTX
  std::vector<Line> lines_;
};

}  // namespace mutation
