// Calls over several ranks that end early: options that differ, refusals, bad features, aborts, a backend
// that throws. All ranks must get an error at the same step, and the group must work again afterwards.
#include <algorithm>
#include <functional>
#include <string>

#include "check.h"
#include "core/agreement.h"
#include "engine_cases.h"
#include "ring_faults.h"
#include "ring_run.h"

using cases::Case;
using cases::Inputs;
using cases::ObjectiveKind;
using infcl::ContrastiveRequest;
using infcl::ErrorCode;
using ring::Outcome;
using ring::Ring;

namespace {

const Case kCase{"errors", cases::request(ObjectiveKind::kClip, 15), 60, 60, 16};

struct Batch {
  explicit Batch(int ranks) : inputs(kCase), d_queries(60 * 16), d_keys(60 * 16) {
    ContrastiveRequest r = inputs.request(kCase);
    r.gradient = true;
    r.d_queries = d_queries.data();
    r.d_keys = d_keys.data();
    r.d_key_rows = r.keys.rows;
    shards = ring::shards_of(r, ranks);
  }
  Inputs inputs;
  std::vector<float> d_queries, d_keys;
  std::vector<ContrastiveRequest> shards;
};

void check_works(const Ring& ring, const char* after) {
  const Batch good(ring.size());
  for (const Outcome& rank : ring.call(good.shards))
    CHECK(!rank.error, "after %s: %s", after, rank.text().c_str());
}

void test_options_that_differ() {
  const Ring ring(3);
  const std::vector<float> weights(60, 1.f);
  struct Difference {
    std::function<void(ContrastiveRequest&)> edit;
    const char* text;
  };
  for (const Difference& d : {
           Difference{[](auto& r) { r.logit_scale = 14; }, "options.logitScale: 14 on rank 2, 15 on rank 0"},
           Difference{[](auto& r) { r.objective = infcl::make_objective(ObjectiveKind::kInfoNce); },
                      "the objective: infonce on rank 2, clip on rank 0"},
           Difference{[](auto& r) { r.label_smoothing = 0.1; },
                      "options.labelSmoothing: 0.1 on rank 2, 0 on rank 0"},
           Difference{[&](auto& r) { r.query_weights = weights.data(); },
                      "options.queryWeights: some on rank 2, none on rank 0"},
           Difference{[](auto& r) { r.has_margin = true; },
                      "options.falseNegativeMargin: some on rank 2, none on rank 0"},
           Difference{[](auto& r) { r.d_keys = nullptr; }, "options.grad.keys: no on rank 2, yes on rank 0"},
           Difference{[](auto& r) { r.gradient = false; }, "gradients: no on rank 2, yes on rank 0"},
           Difference{[](auto& r) { r.queries.dim = r.keys.dim = 15; },
                      "the dim of queries: 15 on rank 2, 16 on rank 0"},
           Difference{[](auto& r) { r.keys.dtype = infcl::DType::kFloat16; },
                      "the dtype of keys: float16 on rank 2, float32 on rank 0"},
           Difference{[](auto& r) { r.gradient_filter = 0.5; },
                      "options.gradientFilter: 0.5 on rank 2, 0 on rank 0"},
       }) {
    Batch b(3);
    d.edit(b.shards[2]);
    for (const Outcome& rank : ring.call(b.shards))
      CHECK(rank.text().find(d.text) != std::string::npos, "%s, expected %s", rank.text().c_str(), d.text);
    check_works(ring, d.text);
  }
}

void test_labels_of_no_key() {
  const Ring ring(2);
  Batch b(2);
  std::vector<int32_t> labels(60, 59);
  for (ContrastiveRequest& r : b.shards) {
    r.objective = infcl::make_objective(ObjectiveKind::kInfoNce);
    r.labels = labels.data();
  }
  for (const Outcome& rank : ring.call(b.shards)) CHECK(!rank.error, "%s", rank.text().c_str());
  labels[3] = 60;
  const std::vector<Outcome> all = ring.call(b.shards);
  for (const Outcome& rank : all)
    CHECK(rank.text().find("one of the 60 keys of all ranks for options.labels[3] but received 60") !=
              std::string::npos,
          "%s", rank.text().c_str());
  check_works(ring, "labels of no key");
}

// A rank whose call is refused before it gets here ends the calls of the others.
void test_refusal() {
  const Ring ring(3);
  const Batch b(3);
  std::vector<Outcome> all(3);
  ring.each([&](int rank) {
    try {
      if (rank == 1)
        infcl::refuse_call("Expected a number for options.logitScale", *ring.communicators[1], {});
      else
        infcl::contrastive(b.shards[static_cast<size_t>(rank)], *ring.backends[static_cast<size_t>(rank)],
                           *ring.communicators[static_cast<size_t>(rank)]);
    } catch (...) {
      all[static_cast<size_t>(rank)].error = std::current_exception();
    }
  });
  CHECK(!all[1].error, "%s", all[1].text().c_str());
  for (const size_t rank : {0u, 2u})
    CHECK(all[rank].code() == ErrorCode::kRankFailed &&
              all[rank].text() == "[group] rank 1 failed: Expected a number for options.logitScale",
          "%s", all[rank].text().c_str());
  check_works(ring, "a refusal");
}

void test_errors_before_the_passes() {
  const Ring ring(3);
  struct Cause {
    std::function<void(ContrastiveRequest&)> edit;
    ErrorCode code;
  };
  std::vector<float> features(60 * 16, 1.f);
  features[5] = HUGE_VALF;
  for (const Cause& cause : {Cause{[&](auto& r) { r.queries.data = features.data(); }, ErrorCode::kNotFinite},
                             Cause{[](auto& r) { r.workspace_bytes = 1; }, ErrorCode::kWorkspace}}) {
    Batch b(3);
    cause.edit(b.shards[1]);
    const std::vector<Outcome> all = ring.call(b.shards);
    CHECK(all[1].code() == cause.code, "%s", all[1].text().c_str());
    for (const size_t rank : {0u, 2u})
      CHECK(all[rank].code() == ErrorCode::kRankFailed &&
                all[rank].text().find("rank 1 failed") != std::string::npos,
            "%s", all[rank].text().c_str());
    check_works(ring, "an error before the passes");
  }
}

// How many exchanges each rank had begun and ended when its call ended.
struct Exchanges {
  int begun[4] = {}, ended[4] = {};
  bool equal() const {
    for (int rank = 0; rank < 4; ++rank)
      if (begun[rank] != begun[0] || ended[rank] != begun[0]) return false;
    return true;
  }
};

// Rank 2 does something before its pass number `pass`.
Ring ring_with(Exchanges& exchanges, int pass, const std::function<void()>& what) {
  Ring ring(4);
  for (int rank = 0; rank < 4; ++rank) {
    auto& one = ring.communicators[static_cast<size_t>(rank)];
    one = std::make_unique<faults::CountsExchanges>(std::move(one), exchanges.begun[rank],
                                                    exchanges.ended[rank]);
  }
  ring.backends[2] = std::make_unique<faults::TellsPasses>(std::move(ring.backends[2]), [=](int at) {
    if (at == pass) what();
  });
  return ring;
}

// In a call of clip on 4 ranks, a round has 7 passes: the own columns, and two pieces of three guests. Before
// pass p of the first round, p + 1 exchanges have begun.
void test_errors_in_the_passes() {
  for (const bool abort : {false, true})
    for (const int pass : {0, 1, 3, 6, 7, 8, 13}) {
      Exchanges exchanges;
      int32_t words[infcl::Control::kWords] = {};
      const Ring ring = ring_with(exchanges, pass, [&] {
        if (!abort) throw infcl::Error(ErrorCode::kOutOfMemory, "test", "no memory");
        __atomic_store_n(words + infcl::Control::kAbort, 1, __ATOMIC_RELAXED);
      });
      Batch b(4);
      b.shards[2].control.words = words;
      const std::vector<Outcome> all = ring.call(b.shards);
      CHECK(all[2].code() == (abort ? ErrorCode::kAborted : ErrorCode::kOutOfMemory), "pass %d: %s", pass,
            all[2].text().c_str());
      for (const size_t rank : {0u, 1u, 3u})
        CHECK(all[rank].code() == ErrorCode::kRankFailed &&
                  all[rank].text().find("rank 2 failed") != std::string::npos,
              "pass %d: %s", pass, all[rank].text().c_str());
      // A rank that noticed one step late would have begun one more exchange than this.
      const int of_round = pass % 7, expected = pass / 7 * 8 + of_round + 1;
      CHECK(exchanges.equal() && exchanges.begun[0] == expected, "pass %d: %d exchanges, expected %d", pass,
            exchanges.begun[0], expected);
      check_works(ring, "an error in the passes");
    }
}

// A seeded bug: rank 2 hides its abort from one pass, and so ends one step late. The count of exchanges, by
// which the test above judges, shows it.
void test_late_abort_is_found() {
  for (const bool hides : {false, true}) {
    Exchanges exchanges;
    int32_t words[infcl::Control::kWords] = {};
    Ring ring = ring_with(exchanges, 2,
                          [&] { __atomic_store_n(words + infcl::Control::kAbort, 1, __ATOMIC_RELAXED); });
    if (hides) ring.backends[2] = std::make_unique<faults::HidesAnAbort>(std::move(ring.backends[2]));
    Batch b(4);
    b.shards[2].control.words = words;
    CHECK(ring.call(b.shards)[2].code() == ErrorCode::kAborted, "an abort");
    const int of_no_bug = 3;
    CHECK((exchanges.begun[0] == of_no_bug) == !hides, "%d exchanges", exchanges.begun[0]);
  }
}

// A call of a rank that has no partner yet can be aborted alone.
void test_abort_while_others_are_missing() {
  const Ring ring(2);
  Batch b(2);
  int32_t words[infcl::Control::kWords] = {1, 0, 0};
  b.shards[0].control.words = words;
  bool met = true;
  ErrorCode code = ErrorCode::kInternal;
  try {
    met = false;
    infcl::contrastive(b.shards[0], *ring.backends[0], *ring.communicators[0], &met);
  } catch (const infcl::Error& e) {
    code = e.code();
  }
  CHECK(code == ErrorCode::kAborted && !met, "an abort of one rank alone");
  check_works(ring, "an abort while others are missing");
}

// A backend that knows no guests is refused on all ranks, before any work.
class KnowsNoGuests final : public faults::SomeBackend {
 public:
  using SomeBackend::SomeBackend;
  bool takes_guests() const override { return false; }
};

void test_backend_without_guests() {
  Ring ring(2);
  ring.backends[1] = std::make_unique<KnowsNoGuests>(std::move(ring.backends[1]));
  const Batch b(2);
  const std::vector<Outcome> all = ring.call(b.shards);
  CHECK(all[1].code() == ErrorCode::kBackendUnavailable, "%s", all[1].text().c_str());
  CHECK(all[0].code() == ErrorCode::kRankFailed, "%s", all[0].text().c_str());
}

}  // namespace

int main() {
  test_options_that_differ();
  test_labels_of_no_key();
  test_refusal();
  test_errors_before_the_passes();
  test_errors_in_the_passes();
  test_late_abort_is_found();
  test_abort_while_others_are_missing();
  test_backend_without_guests();
  return check::summary();
}
