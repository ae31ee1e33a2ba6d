// The command line of engine_test: which instruction set, and which parts. Without arguments, all parts run
// on all instruction sets. An emulator takes long for some parts, hence the choice.
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
  std::fprintf(stderr, "usage: engine_test [ISA [PART]...]\n  PART ");
  for (const Part& part : all) std::fprintf(stderr, " %s", part.name);
  std::fprintf(stderr, "\n");
  return 2;
}

inline int run(const std::vector<Part>& all, int argc, char** argv) {
  std::vector<Engine> engines;
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    if (argc > 1 && isa != argv[1]) continue;
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
