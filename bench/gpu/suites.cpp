#include "suites.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "clock.h"

extern char** environ;

namespace infcl::bench {

namespace {

constexpr int kSkipped = 77;  // of every suite that finds nothing to run on

std::string own_folder() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string whole(path.data(), size > 0 ? static_cast<size_t>(size) : 0);
  return whole.substr(0, whole.rfind('/'));
}

std::vector<std::string> suites(bool quick) {
  std::istringstream list(quick ? INFCL_QUICK_SUITES : INFCL_SUITES);
  std::vector<std::string> found;
  for (std::string name; list >> name;) found.push_back(own_folder() + "/" + name);
  return found;
}

// Exit status, or -1 for one that did not start or was killed.
int run(const std::string& path) {
  char* const arguments[] = {const_cast<char*>(path.c_str()), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, path.c_str(), nullptr, nullptr, arguments, environ) != 0) return -1;
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

void run_all(bool quick) {
  const char* path_of_products = std::getenv("INFCL_CUDA_PATH");
  const std::string kernels = path_of_products ? std::string(" on ") + path_of_products : "";
  for (const std::string& path : suites(quick)) {
    std::printf("\n== %s%s\n", path.substr(path.rfind('/') + 1).c_str(), kernels.c_str());
    const double start = now_seconds();
    const int status = run(path);
    CHECK(status == 0, "%s%s: %s, exit status %d", path.c_str(), kernels.c_str(),
          status == kSkipped ? "found no device" : "failed", status);
    std::printf("%.1f s\n", now_seconds() - start);
  }
}

}  // namespace

void run_suites(bool quick, int capability) {
  setenv("INFCL_TEST_DEVICE", "0", 1);  // else they would rather not touch a machine's own device
  // The suites compare free memory before and after, and kernels that are loaded on first use take some.
  setenv("CUDA_MODULE_LOADING", "EAGER", 0);
  if (capability != 90 || std::getenv("INFCL_CUDA_PATH")) return run_all(quick);
  for (const char* path_of_products : {"sm80", "sm90"}) {
    setenv("INFCL_CUDA_PATH", path_of_products, 1);
    run_all(quick);
  }
  unsetenv("INFCL_CUDA_PATH");
}

}  // namespace infcl::bench
