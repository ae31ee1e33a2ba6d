// gpu-bench: milliseconds and TFLOP/s of the CUDA backend from 8 thousand to a million rows, beside the four
// matrix products alone by cuBLAS where that is installed. Needs no Node.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench_case.h"
#include "bench_report.h"
#include "core/errors.h"
#include "cuda/device.h"
#include "size_list.h"

using namespace infcl::bench;
using infcl::DType;

namespace {

constexpr const char* kUsage =
    "usage: gpu-bench [--out file.json] [--max-seconds 20] [--repetitions 9] [--rows 8192,16384,...]\n"
    "                 [--dims 256,512,...] [--dtypes bfloat16,float32] [--quick]\n"
    "  --max-seconds  skips shapes of which one call would take longer, and bounds the repetitions of the "
    "others\n"
    "  --quick        tiny shapes: shows that the bench itself works, and its figures mean nothing\n"
    "CUDA_VISIBLE_DEVICES chooses the device; INFCL_CUDA_LIBRARY and INFCL_CUBLAS_LIBRARY other libraries.\n";

struct Options {
  std::string out;
  Bench::Settings settings;
  std::vector<int64_t> rows{8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576};
  std::vector<int64_t> dims{256, 512, 768, 1024, 1536};
  std::vector<DType> dtypes{DType::kBFloat16, DType::kFloat32};
};

bool read_dtypes(const std::string& list, std::vector<DType>& dtypes) {
  dtypes.clear();
  for (const std::string& word : split_list(list)) {
    if (word != "bfloat16" && word != "float32") return false;
    dtypes.push_back(word == "bfloat16" ? DType::kBFloat16 : DType::kFloat32);
  }
  return !dtypes.empty();
}

bool read_option(const std::string& name, const std::string& value, Options& o) {
  if (name == "--rows") return read_sizes(value, o.rows);
  if (name == "--dims") return read_sizes(value, o.dims);
  if (name == "--dtypes") return read_dtypes(value, o.dtypes);
  if (name == "--out") {
    o.out = value;
  } else if (name == "--max-seconds") {
    o.settings.max_seconds = std::atof(value.c_str());
    return o.settings.max_seconds > 0;
  } else if (name == "--repetitions") {
    o.settings.repetitions = static_cast<int>(read_size(value));
    return o.settings.repetitions > 0;
  } else {
    return false;
  }
  return true;
}

// False: what was asked for is not understood.
bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--quick")) {
      o.settings = {2, 1};
      o.rows = {128, 200};
      o.dims = {64};
    } else if (i + 1 == argc || !read_option(argv[i], argv[i + 1], o)) {
      return false;
    } else {
      ++i;
    }
  }
  return true;
}

int run(const Options& o) {
  const Card card = read_card();
  print(card);
  const infcl::cuda::DeviceContext context(0);
  const infcl::cuda::DeviceContext::Scope current(context);
  Bench bench(card, o.settings);
  bench.verify_floor();
  BenchReport report(card, o.settings, bench.cublas(), o.out);
  int measured = 0;
  for (const DType dtype : o.dtypes)
    for (const int64_t dim : o.dims)
      for (const int64_t rows : o.rows) {
        const BenchCase c{dtype, rows, dim};
        if (const std::string why = bench.too_long(c); !why.empty()) {
          report.skip(c, why);
          continue;
        }
        try {
          report.add(bench.run(c));
          ++measured;
        } catch (const infcl::Error& e) {
          if (e.code() != infcl::ErrorCode::kOutOfMemory) throw;
          report.skip(c, e.what());
        }
      }
  return measured > 0 ? 0 : 1;
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
    std::fprintf(stderr, "gpu-bench: %s\n", e.what());
    return 1;
  }
}
