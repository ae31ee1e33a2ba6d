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
#include "size_list.h"
#include "suites.h"

using namespace infcl::bench;

namespace {

constexpr const char* kUsage =
    "usage: gpu-check [--quick] [--only suites|shapes|device] [--rows 4096,16384] [--dims 256,512,768]\n"
    "  --quick  tiny shapes and one suite: shows that the check itself works, on a GPU or on the emulator\n"
    "  --only   one part of it\n"
    "  --rows, --dims  of the shapes that are compared with the CPU backend\n"
    "CUDA_VISIBLE_DEVICES chooses the device, INFCL_CUDA_LIBRARY another driver than libcuda.so.1.\n";

struct Options {
  bool quick = false;
  std::string only;
  ShapeGrid grid{{4096, 16384}, {256, 512, 768}};
  bool wants(const char* part) const { return only.empty() || only == part; }
};

bool read_option(const std::string& name, const std::string& value, Options& o) {
  if (name == "--rows") return read_sizes(value, o.grid.rows);
  if (name == "--dims") return read_sizes(value, o.grid.dims);
  o.only = value;
  return name == "--only" && (value == "suites" || value == "shapes" || value == "device");
}

// False: what was asked for is not understood.
bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--quick")) {
      o.quick = true;
      o.grid = {{130}, {64}};
    } else if (i + 1 == argc || !read_option(argv[i], argv[i + 1], o)) {
      return false;
    } else {
      ++i;
    }
  }
  return true;
}

int run(const Options& options) {
  const Card card = read_card();
  print(card);
  if (options.wants("suites")) run_suites(options.quick, card.capability);
  const std::unique_ptr<infcl::Backend> cuda =
      infcl::make_cuda_backend(0, infcl::settings_from_environment());
  if (options.wants("shapes")) check_shapes(*cuda, options.grid);
  if (options.wants("device")) check_device(*cuda, options.quick);
  std::printf("\n%s: ", check::failed == 0 && check::passed > 0 ? "PASSED" : "FAILED");
  return check::summary();
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc == 2 && !std::strcmp(argv[1], "--help")) return std::fputs(kUsage, stdout) < 0;
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    return run(options);
  } catch (const std::exception& e) {
    std::printf("FAILED: %s\n", e.what());
    return 1;
  }
}
