// gpu-bench: milliseconds and TFLOP/s of the CUDA backend from 8 thousand to a million rows, beside the four
// matrix products alone by cuBLAS where that is installed. Needs no Node.
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "bench_case.h"
#include "bench_report.h"
#include "clock.h"
#include "command_line.h"
#include "core/errors.h"
#include "cuda/driver/device.h"

using namespace infcl::bench;
using infcl::DType;

namespace {

constexpr const char* kUsage =
    "usage: gpu-bench [--out file.json] [--place host,device] [--rows 8192,16384,...] [--dims 256,512,...]\n"
    "                 [--dtypes bfloat16,float32] [--repetitions 9] [--max-seconds 20] [--seconds N] "
    "[--quick]\n"
    "  --place        where features and gradients lie; host by default\n"
    "  --max-seconds  skips shapes of which one call would take longer, and bounds the repetitions of the "
    "others\n"
    "  --seconds      limit of the whole bench: skips shapes that it leaves no time for\n"
    "  --quick        tiny shapes: shows that the bench itself works, and its figures mean nothing\n"
    "CUDA_VISIBLE_DEVICES chooses the device; INFCL_CUDA_LIBRARY and INFCL_CUBLAS_LIBRARY other libraries.\n";

struct Options {
  bool help = false, quick = false;
  std::string out;
  Bench::Settings settings;
  std::vector<int64_t> rows, dims;
  std::vector<DType> dtypes{DType::kBFloat16, DType::kFloat32};
  std::vector<MemoryPlace> places{MemoryPlace::kHost};
};

// An option that takes words out of a list of two.
template <class T>
Option words_option(const std::string& name, const std::pair<std::string, T>& one,
                    const std::pair<std::string, T>& other, std::vector<T>& found) {
  const auto fail = [=](const std::string& value) {
    throw UsageError(name + " takes " + one.first + ", " + other.first + " or both but received '" + value +
                     "'");
  };
  return {name, [=, &found](const std::string& value) {
            found.clear();
            for (const std::string& word : split_list(value)) {
              if (word != one.first && word != other.first) fail(value);
              found.push_back(word == one.first ? one.second : other.second);
            }
            if (found.empty()) fail(value);
          }};
}

Options parse(int argc, char** argv) {
  Options o;
  o.settings.start = now_seconds();
  int repetitions = 0;
  double max_seconds = 0;
  const Option out{"--out", [&](const std::string& value) { o.out = value; }};
  const Option dtypes =
      words_option<DType>("--dtypes", {"bfloat16", DType::kBFloat16}, {"float32", DType::kFloat32}, o.dtypes);
  const Option places = words_option<MemoryPlace>("--place", {"host", MemoryPlace::kHost},
                                                  {"device", MemoryPlace::kDevice}, o.places);
  read_command_line(argc, argv, {{"--help", &o.help}, {"--quick", &o.quick}},
                    {out, dtypes, places, sizes_option("--rows", o.rows), sizes_option("--dims", o.dims),
                     size_option("--repetitions", repetitions), seconds_option("--max-seconds", max_seconds),
                     seconds_option("--seconds", o.settings.seconds)});
  o.settings.repetitions = repetitions > 0 ? repetitions : o.quick ? 1 : o.settings.repetitions;
  o.settings.max_seconds = max_seconds > 0 ? max_seconds : o.quick ? 2 : o.settings.max_seconds;
  const std::vector<int64_t> rows{8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576};
  const std::vector<int64_t> dims{256, 512, 768, 1024, 1536};
  if (o.rows.empty()) o.rows = o.quick ? std::vector<int64_t>{128, 200} : rows;
  if (o.dims.empty()) o.dims = o.quick ? std::vector<int64_t>{64} : dims;
  return o;
}

std::vector<BenchCase> cases_of(const Options& o) {
  std::vector<BenchCase> cases;
  for (const DType dtype : o.dtypes)
    for (const int64_t dim : o.dims)
      for (const int64_t rows : o.rows)
        for (const MemoryPlace place : o.places) cases.push_back({dtype, rows, dim, place});
  return cases;
}

// The loss of the same features must not depend on where they lie. False: it does. A plan of another size
// sums in another order, which may change last bits.
bool same_loss(const Measured& m, const std::vector<Measured>& others) {
  for (const Measured& other : others) {
    if (!other.shape.same_problem(m.shape)) continue;
    const double allowed = other.workspace_bytes == m.workspace_bytes ? 0 : 1e-6;
    if (std::fabs(m.loss - other.loss) <= allowed * std::fmax(1, std::fabs(other.loss))) continue;
    std::printf("BAD: the loss is %.17g with features on the %s and %.17g with features on the %s\n", m.loss,
                place_name(m.shape.place), other.loss, place_name(other.shape.place));
    return false;
  }
  return true;
}

// Exit status.
int run(const Options& o) {
  const Card card = read_card();
  print(card);
  const infcl::cuda::DeviceContext context(0);
  const infcl::cuda::DeviceContext::Scope current(context);
  Bench bench(card, o.settings);
  bench.verify_floor();
  BenchReport report(card, o.settings, bench.cublas(), o.out);
  std::vector<Measured> measured;
  bool sound = true;
  for (const BenchCase& c : cases_of(o)) {
    if (const std::string why = bench.too_long(c); !why.empty()) {
      report.skip(c, why);
      continue;
    }
    try {
      const Measured m = bench.run(c);
      report.add(m);
      sound = same_loss(m, measured) && sound;
      measured.push_back(m);
    } catch (const infcl::Error& e) {
      if (e.code() != infcl::ErrorCode::kOutOfMemory) throw;
      report.skip(c, e.what());
    }
  }
  return sound && !measured.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    const Options options = parse(argc, argv);
    if (options.help) return std::fputs(kUsage, stdout) < 0;
    return run(options);
  } catch (const UsageError& e) {
    std::fprintf(stderr, "gpu-bench: %s\n\n%s", e.what(), kUsage);
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gpu-bench: %s\n", e.what());
    return 1;
  }
}
