// The command line of engine_test: which instruction set, and which parts. Without arguments, all parts run
// on all instruction sets. An emulator or a sanitizer takes long for some parts, hence the choice. "--list"
// prints the parts, so that a script can run some side by side.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "check.h"
#include "cpu_engine.h"

namespace parts {

struct Part {
  const char* name;
  void (*test)(std::vector<Engine>&);
};

// For a test that takes one engine.
template <void (*kTest)(Engine&)>
void each(std::vector<Engine>& engines) {
  for (Engine& e : engines) kTest(e);
}

inline int usage(const std::vector<Part>& all) {
  std::fprintf(stderr, "usage: engine_test [--list | ISA|all [PART]...]\n  PART ");
  for (const Part& part : all) std::fprintf(stderr, " %s", part.name);
  std::fprintf(stderr, "\n");
  return 2;
}

inline int list(const std::vector<Part>& all) {
  for (const Part& part : all) std::printf("%s\n", part.name);
  return 0;
}

inline int run(const std::vector<Part>& all, int argc, char** argv) {
  const std::string isa_or_all = argc > 1 ? argv[1] : "all";
  if (isa_or_all == "--list") return list(all);
  std::vector<Engine> engines;
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    if (isa_or_all != "all" && isa != isa_or_all) continue;
    CHECK(infcl::cpu_info({isa, "", ""}).isa == isa, "INFCL_ISA=%s", isa.c_str());
    engines.push_back({isa});
  }
  if (engines.empty()) return usage(all);
  std::vector<Part> chosen;
  for (int i = 2; i < argc; ++i) {
    const size_t before = chosen.size();
    for (const Part& part : all)
      if (std::string(part.name) == argv[i]) chosen.push_back(part);
    if (chosen.size() == before) return usage(all);
  }
  for (const Part& part : argc > 2 ? chosen : all) part.test(engines);
  return check::summary();
}

}  // namespace parts
