// One row of the bench: a clip loss with both gradients at one shape and element type, and its floor by
// cuBLAS.
//
// Features and gradients lie in the host's memory, so that a call is timed with its copies, or in the
// device's. Passes are the same calls' fold and differentiate: kernels, and vectors of a few dozen bytes a
// row. Before each pass the L2 cache is overwritten, which no timing includes.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench_shape.h"
#include "core/backend.h"
#include "four_products.h"
#include "machine.h"

namespace infcl::bench {

struct Floor {
  Arithmetic arithmetic = Arithmetic::kBFloat16;
  int repetitions = 0;
  FourProducts::Milliseconds ms;
  std::string skipped;  // why there are no figures
};

// Milliseconds, medians over the repetitions.
struct Measured {
  BenchCase shape;
  int repetitions = 0, matrices = 0;
  double forward = 0, backward = 0, total = 0;  // of a call
  double claim = 0, upload = 0, download = 0;   // parts of it
  double pass_forward = 0, pass_backward = 0;   // fold and differentiate alone
  double loss = 0;
  int64_t workspace_bytes = 0;
  std::vector<Floor> floors;
  Clocks clocks;  // while the last repetition was just over
  double passes() const { return pass_forward + pass_backward; }
};

// Memory that is overwritten to empty the L2 cache. Needs a current context.
class CacheFlush {
 public:
  explicit CacheFlush(int64_t l2_bytes);
  void operator()(const cuda::Stream& stream) const { stream.clear(memory_.as<void>(), memory_.bytes()); }

 private:
  cuda::DeviceBuffer memory_;
};

class Bench {
 public:
  struct Settings {
    double max_seconds = 20;  // of one call, and of the repetitions of one case
    int repetitions = 9;
    double seconds = std::numeric_limits<double>::infinity();  // of the whole bench, from `start` on
    double start = 0;                                          // by now_seconds
  };
  Bench(const Card&, Settings);

  const Cublas& cublas() const { return cublas_; }
  // Throws Error: kOutOfMemory, of the device or the host.
  Measured run(const BenchCase&);
  // Why a case is not worth starting, going by the last smaller one and the time that is left; empty: it is.
  std::string too_long(const BenchCase&) const;
  // The four products against plain loops, on a problem of no size. Throws Error when they are not the same.
  void verify_floor() const;

 private:
  struct Last {
    BenchCase shape{};
    double seconds = 0;
    // Seconds of a call of another size on the same features; 0 where they are not known.
    double scaled_to(const BenchCase&) const;
  };
  void measure_calls(Measured&);
  void measure_floors(const BenchCase&);
  Floor measure_floor(Arithmetic, const BenchCase&);
  int repetitions_of(double seconds) const;
  double seconds_left() const;

  const Card& card_;
  Settings settings_;
  std::unique_ptr<Backend> backend_;
  CacheFlush flush_;
  cuda::Stream flush_stream_;
  Cublas cublas_;
  std::map<MemoryPlace, Last> last_calls_;
  std::map<Arithmetic, Last> last_floors_;
  // The last case. A floor is the same wherever the features of the call lie.
  BenchCase shape_of_floors_;
  std::vector<Floor> floors_;
};

}  // namespace infcl::bench
