// Random requests to the engine on the CPU backend, with memory refused and aborts on the way. What must
// hold: an answer of finite numbers, the same bits on any number of threads, or an Error that the request
// explains; and after either the next call is right.
//
//   request_fuzz [cases] [first seed]    seeded cases, one process (ctest and the sanitizer builds)
//   with -DINFCL_LIBFUZZER=ON (clang)    libFuzzer's options
#include <cstdio>
#include <new>
#include <string>
#include <thread>

#include "binding/request_error.h"
#include "core/backend.h"
#include "core/backends.h"
#include "core/engine.h"
#include "core/errors.h"
#include "fuzz_case.h"
#include "fuzz_main.h"
#include "random_request.h"
#include "refused_memory.h"

namespace {

struct Counts {
  int64_t answers = 0, not_finite = 0, workspace = 0, aborted = 0, no_memory = 0, repeated = 0;
} counts;

struct Engine {
  std::string isa;
  std::unique_ptr<infcl::Backend> backend = infcl::make_cpu_backend({isa, "", ""});
};

// One per instruction set, for the whole process: what one call leaves behind, the next one meets.
std::vector<Engine>& engines() {
  static std::vector<Engine> all;
  if (all.empty())
    for (const std::string& isa : infcl::cpu_info({}).isas) all.push_back({isa});
  return all;
}

enum class End { kAnswer, kError, kNoMemory };

// Faults of one call.
struct Faults {
  bool aborted_before = false;
  int abort_spins = -1;  // another thread aborts after so many looks at the clock; negative: none
  int64_t refused_allocation = -1;
};

End call(Engine& e, const infcl::ContrastiveRequest& r, const Faults& faults,
         infcl::ContrastiveResult& result, infcl::ErrorCode& code) {
  int32_t* abort = r.control.words + infcl::Control::kAbort;
  __atomic_store_n(abort, faults.aborted_before, __ATOMIC_RELAXED);
  std::thread aborter;
  if (faults.abort_spins >= 0)
    aborter = std::thread([&] {
      for (int i = 0; i < faults.abort_spins; ++i) std::this_thread::yield();
      __atomic_store_n(abort, 1, __ATOMIC_RELAXED);
    });
  End end = End::kAnswer;
  allocations_left = faults.refused_allocation;
  try {
    result = infcl::contrastive(r, *e.backend);
  } catch (const infcl::Error& error) {
    end = End::kError;
    code = error.code();
  } catch (const std::bad_alloc&) {
    end = End::kNoMemory;
  }
  allocations_left = -1;
  if (aborter.joinable()) aborter.join();
  __atomic_store_n(abort, 0, __ATOMIC_RELAXED);
  return end;
}

void expect_finite(const fuzz::RandomRequest& random, const infcl::ContrastiveResult& result) {
  const infcl::ContrastiveRequest& r = random.request;
  EXPECT(std::isfinite(result.loss), "%g", result.loss);
  EXPECT(std::isnan(result.accuracy) || (result.accuracy >= 0 && result.accuracy <= 1), "%g",
         result.accuracy);
  if (!random.moderate) return;  // true gradients may be beyond float32 while the loss is not
  EXPECT(std::isfinite(result.logit_scale_grad), "%g", result.logit_scale_grad);
  EXPECT(std::isfinite(result.logit_bias_grad), "%g", result.logit_bias_grad);
  for (const auto& output : random.outputs) {
    // siglip has no log-sum-exp, and that of a row that is compared with nothing is -Infinity
    if (output.data() == r.row_lse && (r.objective.sigmoid() || r.queries.rows + r.keys.rows == 1)) continue;
    for (int64_t i = 0; i < output.size(); ++i)
      EXPECT(std::isfinite(output[i]), "output of %ld elements, [%ld] = %g", (long)output.size(), (long)i,
             output[i]);
  }
}

void expect_explained(const fuzz::RandomRequest& random, const Faults& faults, infcl::ErrorCode code) {
  const infcl::ContrastiveRequest& r = random.request;
  using infcl::ErrorCode;
  switch (code) {
    case ErrorCode::kNotFinite:
      EXPECT(random.has_broken_feature || !random.moderate, "finite input refused");
      ++counts.not_finite;
      break;
    case ErrorCode::kWorkspace:
      EXPECT(r.workspace_bytes > 0, "no bound was given");
      ++counts.workspace;
      break;
    case ErrorCode::kAborted:
      EXPECT(faults.aborted_before || faults.abort_spins >= 0, "nobody aborted");
      ++counts.aborted;
      break;
    default:
      EXPECT(false, "%s", infcl::error_code_name(code));
  }
}

// The same request on other threads and another workspace must give the same bits.
void expect_repeatable(Engine& e, fuzz::RandomRequest& random, const infcl::ContrastiveResult& first) {
  infcl::ContrastiveRequest& r = random.request;
  std::vector<std::vector<float>> before;
  for (const auto& output : random.outputs) before.emplace_back(output.data(), output.data() + output.size());
  r.threads = r.threads == 1 ? 3 : 1;
  r.workspace_bytes = 0;
  infcl::ContrastiveResult second;
  infcl::ErrorCode code{};
  EXPECT(call(e, r, {}, second, code) == End::kAnswer, "%s", infcl::error_code_name(code));
  const auto same = [](double a, double b) { return !std::memcmp(&a, &b, sizeof a) || (a != a && b != b); };
  EXPECT(same(first.loss, second.loss), "%.17g %.17g", first.loss, second.loss);
  EXPECT(same(first.logit_scale_grad, second.logit_scale_grad), "%.17g %.17g", first.logit_scale_grad,
         second.logit_scale_grad);
  for (size_t o = 0; o < before.size(); ++o)
    for (size_t i = 0; i < before[o].size(); ++i)
      EXPECT(same(before[o][i], random.outputs[o][static_cast<int64_t>(i)]), "output %zu [%zu]: %g %g", o, i,
             before[o][i], random.outputs[o][static_cast<int64_t>(i)]);
  ++counts.repeated;
}

// A call whose answer is known, whatever the engine has been through.
void expect_usable(Engine& e) {
  float data[3] = {1, 0, -1}, gradient[3];
  int32_t words[infcl::Control::kWords] = {};
  infcl::ContrastiveRequest r;
  r.objective = infcl::make_objective(infcl::ObjectiveKind::kInfoNce);
  r.queries = r.keys = {data, infcl::DType::kFloat32, 3, 1, 1, {}};
  r.gradient = true;
  r.d_queries = gradient;
  r.control.words = words;
  infcl::ContrastiveResult result;
  infcl::ErrorCode code{};
  EXPECT(call(e, r, {}, result, code) == End::kAnswer, "%s", infcl::error_code_name(code));
  const double known = (2 * std::log(std::exp(1) + 1 + std::exp(-1)) - 2 + std::log(3)) / 3;
  EXPECT(std::fabs(result.loss - known) < 1e-6, "%.9g instead of %.9g", result.loss, known);
}

void one_case(const uint8_t* data, size_t size) {
  fuzz::Bytes in(data, size);
  Engine& e = engines()[static_cast<size_t>(in.below(static_cast<int64_t>(engines().size())))];
  Faults faults;
  const int64_t fault = in.below(12);
  if (fault == 1) faults.aborted_before = true;
  if (fault == 2) faults.abort_spins = static_cast<int>(in.below(200));
  if (fault >= 3 && fault <= 5) faults.refused_allocation = in.below(60);
  const bool repeat = in.rarely(3);
  fuzz::RandomRequest random(in);
  try {
    random.check();
  } catch (const infcl::binding::RequestError& error) {
    EXPECT(false, "%s", error.what());
  }
  infcl::ContrastiveResult result;
  infcl::ErrorCode code{};
  switch (call(e, random.request, faults, result, code)) {
    case End::kAnswer:
      EXPECT(!faults.aborted_before, "ran although aborted");
      EXPECT(!random.has_broken_feature, "an infinite feature was accepted");
      expect_finite(random, result);
      ++counts.answers;
      if (repeat) expect_repeatable(e, random, result);
      break;
    case End::kNoMemory:
      EXPECT(faults.refused_allocation >= 0, "out of memory");
      ++counts.no_memory;
      break;
    case End::kError:
      expect_explained(random, faults, code);
      break;
  }
  expect_usable(e);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  one_case(data, size);
  return 0;
}

#if !defined(INFCL_LIBFUZZER)
int main(int argc, char** argv) {
  const uint64_t cases = fuzz::run_seeded_cases(argc, argv, one_case);
  const long long answers = counts.answers, repeated = counts.repeated, not_finite = counts.not_finite,
                  workspace = counts.workspace, aborted = counts.aborted, no_memory = counts.no_memory;
  std::printf(
      "%llu cases: %lld answers (%lld repeated on other threads), %lld not finite, %lld workspace too small, "
      "%lld "
      "aborted, %lld refused memory\n",
      static_cast<unsigned long long>(cases), answers, repeated, not_finite, workspace, aborted, no_memory);
  return cases > 0 && answers == 0;
}
#endif
