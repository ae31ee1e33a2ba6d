// gpu-check: says whether this machine's GPU computes what it should. Prints the card; runs the test suites
// that were built beside it; compares large batches with the CPU backend; and looks at what only a real
// device can show: memory that stays gone, the time to an abort, an allocation that is refused. Needs no
// Node. Exit status 0: all passed.
#include "check.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "check_device.h"
#include "check_shapes.h"
#include "core/backend.h"
#include "core/backend_factory.h"
#include "core/errors.h"
#include "machine.h"
#include "suites.h"

using namespace infcl::bench;

namespace {

constexpr const char* kUsage =
    "usage: gpu-check [--quick] [--only suites|shapes|device]\n"
    "  --quick  tiny shapes and one suite: shows that the check itself works, on a GPU or on the emulator\n"
    "  --only   one part of it\n"
    "CUDA_VISIBLE_DEVICES chooses the device, INFCL_CUDA_LIBRARY another driver than libcuda.so.1.\n";

struct Options {
  bool quick = false;
  std::string only;
  bool wants(const char* part) const { return only.empty() || only == part; }
};

// False: what was asked for is not understood.
bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      o.quick = true;
    } else if (word == "--only" && i + 1 < argc) {
      o.only = argv[++i];
      if (o.only != "suites" && o.only != "shapes" && o.only != "device") return false;
    } else {
      return false;
    }
  }
  return true;
}

int run(const Options& options) {
  print(read_card());
  if (options.wants("suites")) run_suites(options.quick);
  const std::unique_ptr<infcl::Backend> cuda = infcl::make_cuda_backend(0);
  if (options.wants("shapes")) check_shapes(*cuda, options.quick);
  if (options.wants("device")) check_device(*cuda, options.quick);
  std::printf("\n%s: ", check::failed == 0 && check::passed > 0 ? "PASSED" : "FAILED");
  return check::summary();
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage, argc == 2 && !std::strcmp(argv[1], "--help") ? stdout : stderr);
    return 2;
  }
  try {
    return run(options);
  } catch (const std::exception& e) {
    std::printf("FAILED: %s\n", e.what());
    return 1;
  }
}
