// What gpu-bench says: a table while it runs, and a JSON file that is whole after every row.
#pragma once

#include <string>
#include <vector>

#include "bench_case.h"
#include "json.h"

namespace infcl::bench {

class BenchReport {
 public:
  // No path: no file.
  BenchReport(const Card&, const Bench::Settings&, const Cublas&, std::string path);
  void add(const Measured&);
  void skip(const BenchCase&, const std::string& why);
  // Throws Error when the file cannot be written.
  void write() const;

 private:
  const Card& card_;
  const Bench::Settings settings_;
  const std::string path_, cublas_, date_, commit_;
  JsonArray cases_, skipped_;
};

}  // namespace infcl::bench
