// What the figures were taken on: the card, its driver, its clocks, the source. All of it optional but the
// card: what the machine does not tell is left empty.
#pragma once

#include <cstdint>
#include <string>

namespace infcl::bench {

struct Card {
  std::string name;
  int capability = 0, multiprocessors = 0;
  int64_t l2_bytes = 0, memory_bytes = 0, free_bytes = 0;
  std::string cuda_version;    // the newest that the driver knows, "13.0"
  std::string driver_version;  // "580.65.06"; empty where NVML does not tell
  std::string bus_id;
  std::string kernels;          // which of the embedded images runs: "sm_90a, machine code"
  std::string instruction_set;  // that products use: "sm_90a"
};

// Reads device 0, which CUDA_VISIBLE_DEVICES chooses. Throws Error when there is none, or no kernels for it.
Card read_card();
void print(const Card&);

// By NVML, else by nvidia-smi. Zeros where there is neither.
struct Clocks {
  unsigned sm_mhz = 0, memory_mhz = 0, max_sm_mhz = 0, max_memory_mhz = 0;
  double watts = 0, limit_watts = 0;
  unsigned celsius = 0;
};
Clocks read_clocks(const Card&);

std::string utc_date();
std::string source_commit();  // with "+" when the tree has changes; empty without git

}  // namespace infcl::bench
