// gpu-check: says whether this machine's GPU computes what it should. Prints the card; then runs checks, each
// in a process of its own: the test suites that were built beside it, large batches beside the CPU backend,
// and what only a real device can show. Needs no Node.
#include "check.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "check_device.h"
#include "check_images.h"
#include "check_list.h"
#include "check_runner.h"
#include "check_shapes.h"
#include "child_process.h"
#include "clock.h"
#include "command_line.h"
#include "cuda/driver/device.h"
#include "machine.h"
#include "suites.h"

using namespace infcl::bench;

namespace {

constexpr const char* kUsage =
    "usage: gpu-check [--quick] [--list] [--only NAME,...] [--check-seconds 300] [--seconds N]\n"
    "                 [--rows 4096,16384] [--dims 256,512,768]\n"
    "       gpu-check --images FILE\n"
    "  --images         loads every CUDA image of FILE on the device, and does nothing else. FILE is an "
    "addon\n"
    "                   (infcl.node) or a program with the backend inside; 'self' is gpu-check\n"
    "  --list           prints the names of the checks and runs none\n"
    "  --only           checks by name, by the beginning of names up to a colon, or by part: suites, shapes, "
    "device\n"
    "  --check-seconds  limit of each check; a check that takes longer is stopped and counts as failed\n"
    "  --seconds        limit of the whole run; checks that it leaves no time for are listed as not run\n"
    "  --rows, --dims   of the shapes that are compared with the CPU backend\n"
    "  --quick          tiny shapes and one suite: shows that the check itself works\n"
    "Exit status: 0 all passed, 1 something failed, 2 the command line is wrong, 3 something did not run.\n"
    "CUDA_VISIBLE_DEVICES chooses the device, INFCL_CUDA_LIBRARY another driver than libcuda.so.1.\n";

struct Options {
  bool help = false, list = false, quick = false;
  bool child = false;  // runs the one check that --only names in this process
  std::vector<std::string> only;
  CheckLimits limits;
  ShapeGrid grid;
  std::vector<std::string> for_child;  // what names of checks depend on
  std::string images;                  // a file whose images are loaded, and nothing else is checked
};

Options parse(int argc, char** argv) {
  Options o;
  o.limits.start = now_seconds();
  ShapeGrid asked;
  const Option only{"--only", [&](const std::string& value) {
                      o.only = split_list(value);
                      if (o.only.empty()) throw UsageError("--only needs the name of a check");
                    }};
  const Option images{"--images", [&](const std::string& value) {
                        if (value.empty()) throw UsageError("--images needs the path of a file, or 'self'");
                        o.images = value == "self" ? own_path() : value;
                      }};
  read_command_line(argc, argv,
                    {{"--help", &o.help}, {"--list", &o.list}, {"--quick", &o.quick}, {"--child", &o.child}},
                    {only, images, seconds_option("--seconds", o.limits.seconds),
                     seconds_option("--check-seconds", o.limits.check_seconds),
                     sizes_option("--rows", asked.rows), sizes_option("--dims", asked.dims)});
  if (!o.images.empty() && argc > 3) throw UsageError("--images takes no other option beside it");
  o.grid = o.quick ? ShapeGrid{{130}, {64}} : ShapeGrid{{4096, 16384}, {256, 512, 768}};
  if (!asked.rows.empty()) o.grid.rows = asked.rows;
  if (!asked.dims.empty()) o.grid.dims = asked.dims;
  if (o.quick) o.for_child = {"--quick"};
  for (const auto& [name, sizes] : {std::pair{"--rows", o.grid.rows}, {"--dims", o.grid.dims}}) {
    std::vector<std::string> words;
    for (const int64_t size : sizes) words.push_back(std::to_string(size));
    o.for_child.insert(o.for_child.end(), {name, join(words, ",")});
  }
  return o;
}

// Suites run with either kind of product kernels where the device has both.
std::vector<std::string> cuda_paths() {
  if (infcl::cuda::device_traits(0).capability != 90) return {""};
  const char* chosen = std::getenv("INFCL_CUDA_PATH");
  if (chosen && *chosen) return {chosen};
  return {"sm80", "sm90"};
}

std::vector<CheckEntry> all_checks(const Options& o, const std::vector<std::string>& paths) {
  std::vector<CheckEntry> checks = suite_checks(o.quick, paths);
  for (CheckEntry& check : shape_checks(o.grid)) checks.push_back(std::move(check));
  for (CheckEntry& check : device_checks(o.quick)) checks.push_back(std::move(check));
  return checks;
}

// The process of one check.
int run_here(const Options& o) {
  end_with_parent();
  try {
    // The device is the check's to start, so all names count.
    for (const CheckEntry& check : all_checks(o, {"", "sm80", "sm90"}))
      if (o.only.size() == 1 && check.name == o.only.front()) {
        check.run();
        return check::summary();
      }
    throw UsageError("--child needs --only with the name of one check");
  } catch (const std::exception& e) {
    std::printf("BAD  %s\n", e.what());
    return 1;
  }
}

int run(const Options& o) {
  const std::vector<CheckEntry> checks = select_checks(all_checks(o, cuda_paths()), o.only);
  if (o.list) {
    for (const CheckEntry& check : checks) std::printf("%s\n", check.name.c_str());
    return 0;
  }
  catch_stop_signals();
  print(read_card());
  std::vector<std::string> command = {own_path(), "--child"};
  command.insert(command.end(), o.for_child.begin(), o.for_child.end());
  command.push_back("--only");
  CheckRunner runner(o.limits, command);
  for (const CheckEntry& check : checks) runner.run(check.name);
  return runner.report();
}

int end_with_usage(const char* what) {
  std::fprintf(stderr, "gpu-check: %s\n\n%s", what, kUsage);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    const Options options = parse(argc, argv);
    if (options.help) return std::fputs(kUsage, stdout) < 0;
    if (!options.images.empty()) return check_images(find_images(options.images));
    return options.child ? run_here(options) : run(options);
  } catch (const UsageError& e) {
    return end_with_usage(e.what());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gpu-check: %s\n", e.what());
    return 1;
  }
}
