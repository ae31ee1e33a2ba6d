#include "check_list.h"

#include <algorithm>

#include "command_line.h"

namespace infcl::bench {

namespace {

bool is_meant(const std::string& check, std::string word) {
  if (word == "suites" || word == "shapes") word.pop_back();  // names begin with the singular
  return check == word || check.rfind(word + ":", 0) == 0;
}

std::string names_of(const std::vector<CheckEntry>& checks) {
  std::string text;
  for (const CheckEntry& check : checks) text += "\n  " + check.name;
  return text;
}

}  // namespace

std::vector<CheckEntry> select_checks(const std::vector<CheckEntry>& checks,
                                      const std::vector<std::string>& only) {
  if (only.empty()) return checks;
  for (const std::string& word : only)
    if (std::none_of(checks.begin(), checks.end(),
                     [&](const CheckEntry& check) { return is_meant(check.name, word); }))
      throw UsageError("--only: no check is named '" + word + "'. There are suites, shapes, device, and" +
                       names_of(checks));
  std::vector<CheckEntry> found;
  for (const CheckEntry& check : checks)
    if (std::any_of(only.begin(), only.end(),
                    [&](const std::string& word) { return is_meant(check.name, word); }))
      found.push_back(check);
  return found;
}

}  // namespace infcl::bench
