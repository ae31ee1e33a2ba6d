#include "statistics.h"

namespace infcl::emulator {
namespace {

std::string dimensions(const uint32_t (&d)[3]) {
  return "[" + std::to_string(d[0]) + ", " + std::to_string(d[1]) + ", " + std::to_string(d[2]) + "]";
}

std::string to_json(const LaunchStatistics& s) {
  std::string out = "{\"kernel\": \"" + s.kernel + "\", \"grid\": " + dimensions(s.grid) +
                    ", \"block\": " + dimensions(s.block);
  auto add = [&](const char* name, uint64_t value) {
    out += std::string(", \"") + name + "\": " + std::to_string(value);
  };
  add("sharedBytes", s.shared_bytes);
  add("warpInstructions", s.warp_instructions);
  add("divergentInstructions", s.divergent_instructions);
  add("mma", s.mma);
  add("ex2", s.ex2);
  add("globalRequests", s.global_requests);
  add("globalSectors", s.global_sectors);
  add("sharedRequests", s.shared_requests);
  add("sharedWaves", s.shared_waves);
  add("ldmatrixPhases", s.ldmatrix_phases);
  add("ldmatrixWaves", s.ldmatrix_waves);
  add("localRequests", s.local_requests);
  add("atomics", s.atomics);
  add("asyncCopies", s.async_copies);
  add("copiedBytes", s.copied_bytes);
  add("barriers", s.barriers);
  return out + "}";
}

}  // namespace

std::vector<LaunchStatistics>& launch_log() {
  static std::vector<LaunchStatistics> log;
  return log;
}

std::string statistics_json() {
  std::string out = "{\"launches\": [";
  const char* separator = "\n";
  for (const LaunchStatistics& s : launch_log()) {
    out += separator + to_json(s);
    separator = ",\n";
  }
  return out + "\n]}\n";
}

}  // namespace infcl::emulator
