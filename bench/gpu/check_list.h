// The checks of gpu-check, each by the name that --list prints and --only takes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace infcl::bench {

struct CheckEntry {
  std::string name;
  std::function<void()> run;  // in a process of its own; counts CHECKs, or throws
};

// Those that `only` names: a check, the beginning of names up to a colon, or a part (suites, shapes, device).
// All when `only` is empty. Throws UsageError for what names none.
std::vector<CheckEntry> select_checks(const std::vector<CheckEntry>&, const std::vector<std::string>& only);

}  // namespace infcl::bench
