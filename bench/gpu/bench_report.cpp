#include "bench_report.h"

#include <cstdio>
#include <fstream>
#include <utility>

#include "core/errors.h"
#include "unit_rows.h"

namespace infcl::bench {

namespace {

double teraflops(double flops, double milliseconds) { return flops / milliseconds / 1e9; }

JsonObject shape_json(const BenchCase& c) {
  JsonObject o;
  o.add("dtype", dtype_name(c.dtype)).add("rows", c.rows).add("dim", c.dim).add("place", place_name(c.place));
  return o;
}

std::string card_json(const Card& c) {
  JsonObject o;
  o.add("name", c.name)
      .add("compute_capability", std::to_string(c.capability / 10) + "." + std::to_string(c.capability % 10))
      .add("multiprocessors", c.multiprocessors)
      .add("l2_bytes", c.l2_bytes)
      .add("memory_bytes", c.memory_bytes)
      .add("driver", c.driver_version)
      .add("cuda", c.cuda_version)
      .add("kernels", c.kernels)
      .add("instruction_set", c.instruction_set);
  return o.text();
}

std::string clocks_json(const Clocks& c) {
  JsonObject o;
  o.add("sm_mhz", c.sm_mhz)
      .add("memory_mhz", c.memory_mhz)
      .add("max_sm_mhz", c.max_sm_mhz)
      .add("max_memory_mhz", c.max_memory_mhz)
      .add("watts", c.watts)
      .add("limit_watts", c.limit_watts)
      .add("celsius", c.celsius);
  return o.text();
}

std::string floor_json(const Floor& f, const BenchCase& c) {
  JsonObject o;
  o.add("arithmetic", arithmetic_name(f.arithmetic));
  if (!f.skipped.empty()) return o.add("skipped", f.skipped).text();
  o.add("repetitions", f.repetitions)
      .add("logits_ms", f.ms.logits)
      .add("logits_again_ms", f.ms.again)
      .add("row_gradients_ms", f.ms.d_rows)
      .add("column_gradients_ms", f.ms.d_columns)
      .add("total_ms", f.ms.total())
      .add("tflops", teraflops(c.flops(), f.ms.total()));
  return o.text();
}

std::string case_json(const Measured& m) {
  JsonObject call, passes, o = shape_json(m.shape);
  call.add("forward", m.forward).add("backward", m.backward).add("total", m.total);
  call.add("claim", m.claim).add("upload", m.upload).add("download", m.download);
  passes.add("forward", m.pass_forward).add("backward", m.pass_backward).add("total", m.passes());
  o.add("repetitions", m.repetitions)
      .add("feature_matrices", m.matrices)
      .raw("call_ms", call.text())
      .raw("passes_ms", passes.text())
      .add("call_tflops", teraflops(m.shape.flops(), m.total))
      .add("passes_tflops", teraflops(m.shape.flops(), m.passes()))
      .add("passes_tflops_executed", teraflops(m.shape.executed_flops(), m.passes()))
      .add("workspace_bytes", m.workspace_bytes)
      .add("loss", m.loss);
  JsonArray floors;
  for (const Floor& f : m.floors) floors.add(floor_json(f, m.shape));
  return o.raw("cublas", floors.text()).raw("clocks", clocks_json(m.clocks)).text();
}

void print_shape(const BenchCase& c) {
  std::printf("%-8s %8ld %5ld %-6s |", dtype_name(c.dtype), static_cast<long>(c.rows),
              static_cast<long>(c.dim), place_name(c.place));
}

void print_header() {
  std::printf(
      "\nMilliseconds, medians. call: all of it, with copies between host and device where the place is "
      "host;\n"
      "passes: without copies of features and gradients. TFLOP/s count four products of 2 B B D; executed: "
      "float32\n"
      "makes each of three of bfloat16. cuBLAS: the four products alone.\n\n"
      "%-8s %8s %5s %-6s | %9s %9s %9s | %9s %9s %9s %7s %8s | %s\n",
      "dtype", "B", "D", "place", "call fwd", "bwd", "total", "passes fwd", "bwd", "total", "TFLOP/s",
      "executed", "cuBLAS, passes / cuBLAS");
}

}  // namespace

BenchReport::BenchReport(const Card& card, const Bench::Settings& settings, const Cublas& cublas,
                         std::string path)
    : card_(card),
      settings_(settings),
      path_(std::move(path)),
      cublas_(cublas ? cublas.version() : "skipped: " + cublas.missing()),
      date_(utc_date()),
      commit_(source_commit()) {
  std::printf("cuBLAS              %s\n", cublas_.c_str());
  print_header();
  write();  // a path that cannot be written should fail before an hour of measuring
}

void BenchReport::add(const Measured& m) {
  print_shape(m.shape);
  std::printf(" %9.3f %9.3f %9.3f | %9.3f %9.3f %9.3f %7.1f %8.1f |", m.forward, m.backward, m.total,
              m.pass_forward, m.pass_backward, m.passes(), teraflops(m.shape.flops(), m.passes()),
              teraflops(m.shape.executed_flops(), m.passes()));
  for (const Floor& f : m.floors) {
    if (f.skipped.empty())
      std::printf(" %s %.3f, %.2f", arithmetic_name(f.arithmetic), f.ms.total(), m.passes() / f.ms.total());
    else
      std::printf(" %s skipped", arithmetic_name(f.arithmetic));
  }
  std::printf("\n");
  cases_.add(case_json(m));
  write();
}

void BenchReport::skip(const BenchCase& c, const std::string& why) {
  print_shape(c);
  std::printf(" skipped: %s\n", why.c_str());
  skipped_.add(shape_json(c).add("why", why).text());
  write();
}

void BenchReport::write() const {
  if (path_.empty()) return;
  JsonObject settings;
  settings.add("objective", "clip")
      .add("max_seconds", settings_.max_seconds)
      .add("repetitions", settings_.repetitions)
      .add("seconds", settings_.seconds);    // null: no limit
  const std::string part = path_ + ".part";  // a run may be ended while it writes
  std::ofstream file(part);
  file << "{\n  \"date\": " << json_string(date_) << ",\n  \"commit\": " << json_string(commit_)
       << ",\n  \"card\": " << card_json(card_) << ",\n  \"cublas\": " << json_string(cublas_)
       << ",\n  \"settings\": " << settings.text() << ",\n  \"cases\": " << cases_.text()
       << ",\n  \"skipped\": " << skipped_.text() << "\n}\n";
  file.close();
  if (!file || std::rename(part.c_str(), path_.c_str()) != 0)
    throw Error(ErrorCode::kInternal, "bench", "cannot write " + path_);
}

}  // namespace infcl::bench
