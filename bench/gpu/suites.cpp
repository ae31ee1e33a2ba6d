#include "suites.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <sstream>

#include "child_process.h"
#include "core/errors.h"

namespace infcl::bench {

namespace {

// The process becomes the suite.
void become(const std::string& program, const std::string& cuda_path) {
  setenv("INFCL_TEST_DEVICE", "0", 1);  // else they would rather not touch a machine's own device
  // Suites compare free memory before and after, and kernels that are loaded on first use take some.
  setenv("CUDA_MODULE_LOADING", "EAGER", 0);
  if (!cuda_path.empty()) setenv("INFCL_CUDA_PATH", cuda_path.c_str(), 1);
  char* const arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  execv(program.c_str(), arguments);
  throw Error(ErrorCode::kInternal, "gpu-check",
              program + " does not start (" + std::strerror(errno) + "): build gpu-check again");
}

}  // namespace

std::vector<CheckEntry> suite_checks(bool quick, const std::vector<std::string>& cuda_paths) {
  const std::string own = own_path(), folder = own.substr(0, own.rfind('/') + 1);
  std::vector<CheckEntry> checks;
  for (const std::string& path : cuda_paths) {
    std::istringstream list(quick ? INFCL_QUICK_SUITES : INFCL_SUITES);
    for (std::string suite; list >> suite;) {
      const std::string name = "suite:" + suite.substr(suite.rfind('/') + 1);
      checks.push_back({path.empty() ? name : name + ":" + path,
                        [program = folder + suite, path] { become(program, path); }});
    }
  }
  return checks;
}

}  // namespace infcl::bench
