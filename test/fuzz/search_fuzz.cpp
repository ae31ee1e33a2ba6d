// Random searches on the CPU backend, with memory refused and aborts on the way, against sorted lists of
// all scores. Features are small integers times a power of two: scores are exact in every element type, and
// often tie.
//
// What must hold: the very answer of the list, or an Error that the request explains; and after either the
// next search is right.
//
//   search_fuzz [cases] [first seed]     seeded cases, one process (ctest and the sanitizer builds)
//   with -DINFCL_LIBFUZZER=ON (clang)    libFuzzer's options
#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "core/backend.h"
#include "core/backends.h"
#include "core/errors.h"
#include "core/search.h"
#include "fuzz_bytes.h"
#include "fuzz_case.h"
#include "fuzz_main.h"
#include "random_search.h"
#include "refused_memory.h"

namespace {

struct Counts {
  int64_t answers = 0, ranks = 0, workspace = 0, aborted = 0, no_memory = 0;
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

// A search whose answer is known, whatever the engine has been through.
void expect_usable(Engine& e) {
  const float queries[2] = {1, -1}, keys[3] = {-1, 2, 1};
  float scores[4];
  int32_t indices[4];
  infcl::SearchRequest r;
  r.queries = {queries, infcl::DType::kFloat32, 2, 1, 1, {}};
  r.keys = {keys, infcl::DType::kFloat32, 3, 1, 1, {}};
  r.top_k = {2, nullptr, scores, indices};
  infcl::search(r, *e.backend);
  const int32_t known[4] = {1, 2, 0, 2};
  EXPECT(std::equal(known, known + 4, indices), "%d %d %d %d", indices[0], indices[1], indices[2],
         indices[3]);
}

void expect_explained(const fuzz::RandomSearch& random, bool may_abort, infcl::ErrorCode code) {
  switch (code) {
    case infcl::ErrorCode::kWorkspace:
      EXPECT(random.request.workspace_bytes > 0, "no bound was given");
      ++counts.workspace;
      break;
    case infcl::ErrorCode::kAborted:
      EXPECT(may_abort, "nobody aborted");
      ++counts.aborted;
      break;
    default:
      EXPECT(false, "%s", infcl::error_code_name(code));
  }
}

void one_case(const uint8_t* data, size_t size) {
  fuzz::Bytes in(data, size);
  Engine& e = engines()[static_cast<size_t>(in.below(static_cast<int64_t>(engines().size())))];
  const int64_t fault = in.below(12);
  const bool aborted_before = fault == 1, aborts = fault == 2, refuses = fault >= 3 && fault <= 5;
  const int spins = static_cast<int>(in.below(200));
  const int64_t allocation = in.below(60);
  fuzz::RandomSearch random(in);
  int32_t* abort = random.request.control.words + infcl::Control::kAbort;
  *abort = aborted_before;
  std::thread aborter;
  if (aborts)
    aborter = std::thread([&] {
      for (int i = 0; i < spins; ++i) std::this_thread::yield();
      __atomic_store_n(abort, 1, __ATOMIC_RELAXED);
    });
  bool answered = false;
  if (refuses) allocations_left = allocation;
  try {
    infcl::search(random.request, *e.backend);
    answered = true;
  } catch (const infcl::Error& error) {
    allocations_left = -1;
    expect_explained(random, aborted_before || aborts, error.code());
  } catch (const std::bad_alloc&) {
    EXPECT(refuses, "out of memory");
    ++counts.no_memory;
  }
  allocations_left = -1;
  if (aborter.joinable()) aborter.join();
  if (answered) {
    EXPECT(!aborted_before, "ran although aborted");
    random.expect_answer();
    ++counts.answers;
    counts.ranks += random.request.wants_ranks;
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
  const long long answers = counts.answers, ranks = counts.ranks, workspace = counts.workspace,
                  aborted = counts.aborted, no_memory = counts.no_memory;
  std::printf(
      "%llu searches: %lld answers (%lld of ranks), %lld workspace too small, %lld aborted, %lld refused "
      "memory\n",
      static_cast<unsigned long long>(cases), answers, ranks, workspace, aborted, no_memory);
  return cases > 0 && (answers == 0 || ranks == 0 || ranks == answers);
}
#endif
