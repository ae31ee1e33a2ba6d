// Are the checks any good? Seeds one bug at a time into the PTX of the shipped kernels and demands that the
// emulator, the results or the statistics give it away. A bug that cannot be placed is an error, too.
#include "mutation.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>

#include "../kernels/gpu.h"
#include "mutation_gpu.h"

namespace {

using namespace mutation;

struct Baseline {
  Outputs outputs;
  Counts counts;
};

struct Verdict {
  const char* found_by;  // null: by nothing
  std::string how;
};

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// Which check of the emulator a fault's message is from.
const char* check_of(const std::string& message) {
  if (contains(message, "address")) return "bounds";
  if (contains(message, "race") || contains(message, "not been waited for")) return "race";
  if (contains(message, "uninitialised")) return "uninitialised";
  if (contains(message, "deadlock")) return "deadlock";
  for (const char* of_sm90 : {"mbarrier", "wgmma", "descriptor", "tensor copies", "setmaxnreg", "cluster"})
    if (contains(message, of_sm90)) return "protocol";
  if (contains(message, "divergence") || contains(message, "member mask")) return "divergence";
  throw std::runtime_error("a fault of no known kind: " + message);
}

// Extra work that does not change results but costs time, compared to the kernel itself; statistics_test has
// absolute gates.
std::string extra_work(const Counts& got, const Counts& want) {
  for (const auto& [what, count] : want)
    if (got.at(what) > count)
      return what + ": " + std::to_string(got.at(what)) + ", not " + std::to_string(count);
  return "";
}

bool of_sm90(const Mutant& m) { return contains(m.kernel, "_sm90_"); }

const Baseline& baseline(const Mutant& m) {
  static std::map<std::pair<Run, std::string>, Baseline> all;
  Baseline& b = all[{m.run, m.kernel}];
  if (b.outputs.empty()) {
    restart(of_sm90(m), "", "");
    b.outputs = m.run();
    b.counts = counts(m.kernel);
    if (b.counts.empty())
      throw std::runtime_error(std::string(m.name) + ": the run does not launch the kernel");
  }
  return b;
}

Verdict examine(const Mutant& m) {
  const Baseline& want = baseline(m);
  restart(of_sm90(m), m.kernel, original(m.kernel).text_with(m.edits));
  Outputs got;
  try {
    got = m.run();
  } catch (const std::runtime_error&) {
    const std::string message = last_error(), first_line = message.substr(0, message.find('\n'));
    return {check_of(first_line), first_line};
  }
  if (const std::string how = difference(got, want.outputs); !how.empty()) return {"result", how};
  if (const std::string how = extra_work(counts(m.kernel), want.counts); !how.empty())
    return {"statistics", how};
  return {nullptr, "survived"};
}

std::vector<Mutant> mutants() {
  std::vector<Mutant> all;
  for (const auto& some : {pipeline_mutants(), epilogue_mutants(), sparse_mutants(), filter_mutants(),
                           sm90_mutants(), wgmma_mutants()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace

// An argument picks the mutants whose names contain it.
int main(int argc, char** argv) {
  setenv("INFCL_EMULATOR_RACE", "1", 1);
  setenv("INFCL_EMULATOR_CHECK", "1", 1);
  setenv("INFCL_EMULATOR_MEMORY", "0x2000000000", 1);  // 128 GiB, of which a few MiB are touched
  if (!gpu::available()) return 77;                    // ctest: skipped
  std::map<std::string, int> found_by;
  int wrong = 0, examined = 0;
  for (const Mutant& m : mutants()) {
    if (argc > 1 && !contains(m.name, argv[1])) continue;
    ++examined;
    Verdict verdict{nullptr, ""};
    try {
      verdict = examine(m);
    } catch (const std::exception& e) {
      verdict.how = std::string("could not be tried: ") + e.what();
    }
    std::printf("%-13s %-44s %s: %s\n", verdict.found_by ? verdict.found_by : "NOT FOUND", m.kernel, m.name,
                verdict.how.c_str());
    std::fflush(stdout);
    if (verdict.found_by)
      ++found_by[verdict.found_by];
    else
      ++wrong;
  }
  std::printf("\nfound by      mutants\n");
  for (const auto& [check, count] : found_by) std::printf("%-13s %7d\n", check.c_str(), count);
  std::printf("%-13s %7d\n%-13s %7d\n", "NOT FOUND", wrong, "all", examined);
  return wrong == 0 && examined > 0 ? 0 : 1;
}
