// Who meets whom on the ring: every pair of rows once, on any number of ranks with any shards. The layout of
// guests, and messages over the thread ring.
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "comm/thread_ring.h"
#include "core/guest.h"
#include "core/ranks.h"
#include "core/ring.h"

using namespace infcl;

namespace {

constexpr Similarity kAcross{Side::kQueries, Side::kKeys, 0, 1},
    kWithin{Side::kQueries, Side::kQueries, 0, 0};

Shards shards_of(const std::vector<int64_t>& rows) {
  std::vector<Shard> all;
  for (const int64_t n : rows) all.push_back({{n, n + 1}, {n, n / 2}});
  return Shards(all);
}

// How often each pair (row of a rank, column of the whole batch) is visited.
std::map<std::pair<int64_t, int64_t>, int> meetings(const Shards& shards, const Similarity& s) {
  std::map<std::pair<int64_t, int64_t>, int> met;
  for (int rank = 0; rank < shards.ranks(); ++rank) {
    const RingRoute route(shards, s, rank);
    const int64_t first_row = shards.first(rank, s.rows);
    for (int64_t i = 0; i < shards.rows(rank, s.rows); ++i)
      for (int64_t j = s.triangle() ? i + 1 : 0; j < shards.rows(rank, s.columns); ++j)
        ++met[{first_row + i, shards.first(rank, s.columns) + j}];
    for (int step = 1; step <= route.last_step(); ++step)
      for (int piece = 0; piece < kPieces; ++piece)
        for (int64_t i = 0; i < route.rows_met(step, piece); ++i)
          for (int64_t j = 0; j < route.piece(step, piece).size(); ++j)
            ++met[{first_row + i, route.first_column(step, piece) + j}];
  }
  return met;
}

void test_each_pair_once() {
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{3, 4},
                                           {1, 1},
                                           {5, 2, 4},
                                           {1, 6, 2, 3},
                                           {3, 1, 1, 4, 2},
                                           {2, 2, 2, 2, 2, 5},
                                           {1, 1, 1, 1, 1, 1, 1}}) {
    const Shards shards = shards_of(rows);
    const int64_t queries = shards.total(Side::kQueries), keys = shards.total(Side::kKeys);
    const auto across = meetings(shards, kAcross);
    CHECK(static_cast<int64_t>(across.size()) == queries * keys, "%zu ranks", rows.size());
    for (const auto& [pair, times] : across) CHECK(times == 1, "%zu ranks, %d times", rows.size(), times);
    // (i, j) and (j, i) are one pair
    std::map<std::pair<int64_t, int64_t>, int> within;
    for (const auto& [pair, times] : meetings(shards, kWithin))
      within[{std::min(pair.first, pair.second), std::max(pair.first, pair.second)}] += times;
    CHECK(static_cast<int64_t>(within.size()) == queries * (queries - 1) / 2, "%zu ranks", rows.size());
    for (const auto& [pair, times] : within) CHECK(times == 1, "%zu ranks, %d times", rows.size(), times);
  }
}

// Every message is as long as its receiver expects: both know it from the shapes alone.
void test_ways() {
  const Shards shards = shards_of({3, 1, 4, 1, 5});
  for (const Similarity& s : {kAcross, kWithin})
    for (int rank = 0; rank < shards.ranks(); ++rank)
      for (int step = 0; step < RingRoute(shards, s, rank).last_step(); ++step)
        for (int piece = 0; piece < kPieces; ++piece) {
          const RingRoute here(shards, s, rank), next(shards, s, (rank + 1) % shards.ranks());
          CHECK(here.piece(step, piece).size() == next.piece(step + 1, piece).size() &&
                    here.gradient_rows(step, piece) == next.gradient_rows(step + 1, piece) &&
                    here.first_column(step, piece) == next.first_column(step + 1, piece),
                "rank %d, step %d", rank, step);
        }
  const RingRoute half(shards, kWithin, 0), round(shards, kAcross, 0);
  CHECK(half.last_step() == 2 && half.way_home() == 3, "half way");
  CHECK(round.last_step() == 4 && round.way_home() == 1, "all the way round");
}

// The formulas of docs/ring.md, but for the alignment of each part to 64 bytes.
void test_layout() {
  GuestParts p;
  p.rows = 64;
  p.dim = 32;
  p.dtype = DType::kBFloat16;
  CHECK(GuestLayout(p).result == 64 * 32 * 2 && GuestLayout(p).end == GuestLayout(p).result,
        "features alone");
  p.sums = true;
  CHECK(GuestLayout(p).result == 64 * 32 * 2 && GuestLayout(p).end == 64 * (32 * 2 + 12), "forward");
  p.sums = false;
  p.factors = true;
  p.gradient_rows = 16;
  CHECK(GuestLayout(p).result == 64 * (32 * 2 + 20) && GuestLayout(p).end == 64 * (32 * 2 + 20) + 16 * 32 * 4,
        "backward");
}

// Runs f(rank's communicator) on a thread for each rank.
template <class F>
void on_threads(int ranks, F f) {
  const auto ring = comm::make_thread_ring(ranks);
  std::vector<std::thread> threads;
  for (const auto& one : ring) threads.emplace_back([&] { f(*one); });
  for (std::thread& t : threads) t.join();
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return std::string(error_code_name(e.code())) + " " + e.what();
  }
  return "";
}

void test_messages() {
  std::vector<int> sums(5, 0);
  on_threads(5, [&](Communicator& c) {
    const int rank = c.rank();
    std::vector<int> all(5);
    for (int round = 0; round < 50; ++round) {
      const int mine = 10 * rank + round;
      c.all_gather(&mine, sizeof mine, all.data(), {});
      sums[static_cast<size_t>(rank)] += std::accumulate(all.begin(), all.end(), 0) - 100 - 5 * round;
      const int lowest = (round + 3) % 5;  // rank that brings the smallest number
      sums[static_cast<size_t>(rank)] += c.smallest(rank == lowest ? -round : rank) != -round;
      // Two exchanges at a time, over different distances, with messages of different sizes.
      const std::vector<int> near(static_cast<size_t>(rank) + 1, rank), far(3, -rank);
      std::vector<int> from_near(static_cast<size_t>((rank + 4) % 5) + 1), from_far(3);
      c.begin_exchange(1, {near.data(), near.size() * sizeof(int)},
                       {from_near.data(), from_near.size() * sizeof(int)});
      c.begin_exchange(3, {far.data(), far.size() * sizeof(int)},
                       {from_far.data(), from_far.size() * sizeof(int)});
      c.end_exchange({});
      c.end_exchange({});
      sums[static_cast<size_t>(rank)] +=
          from_near.back() != (rank + 4) % 5 || from_far[2] != -((rank + 2) % 5);
    }
  });
  for (const int wrong : sums) CHECK(wrong == 0, "messages of the thread ring");
}

// One rank fails: the calls of all others end with its words, now and later.
void test_failure_wakes_all() {
  std::vector<std::string> first(4), second(4);
  on_threads(4, [&](Communicator& c) {
    const size_t rank = static_cast<size_t>(c.rank());
    const auto meet = [&] {
      char mine = 0, all[4];
      c.all_gather(&mine, 1, all, {});
    };
    if (rank == 2) return c.fail(Error(ErrorCode::kValue, "test", "no more"));
    first[rank] = error_of([&] {
      if (rank == 0) return meet();
      char in, out = 0;
      c.begin_exchange(1, {&out, 1}, {&in, 1});
      c.end_exchange({});
      meet();
    });
    second[rank] = error_of(meet);
  });
  for (const size_t rank : {0u, 1u, 3u})
    for (const std::string& text : {first[rank], second[rank]})
      CHECK(text.find("ERR_RANK_FAILED") == 0 && text.find("rank 2") != std::string::npos &&
                text.find("no more") != std::string::npos,
            "rank %zu: %s", rank, text.c_str());
}

// An abort takes a rank out of a meeting that is not complete, and the group goes on as if it had not called.
void test_abort_before_the_meeting() {
  int met = 0;
  const auto ring = comm::make_thread_ring(2);
  int32_t words[Control::kWords] = {1, 0, 0};
  Control aborted;
  aborted.words = words;
  const int mine = 7;
  int all[2];
  const std::string text = error_of([&] { ring[0]->all_gather(&mine, sizeof mine, all, aborted); });
  CHECK(text.find("ERR_ABORTED") == 0, "%s", text.c_str());
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank)
    threads.emplace_back([&, rank] {
      int both[2], own = rank;
      ring[static_cast<size_t>(rank)]->all_gather(&own, sizeof own, both, {});
      if (rank == 0) met = both[1];
    });
  for (std::thread& t : threads) t.join();
  CHECK(met == 1, "a meeting after an abort");
}

// Sums have the same bits on all ranks, and an error of one ends the work of all.
void test_ranks() {
  std::vector<double> sums(5), largest(5);
  std::vector<std::string> errors(5);
  on_threads(5, [&](Communicator& c) {
    Ranks ranks(c);
    const size_t rank = static_cast<size_t>(c.rank());
    ranks.meet({{"call", "a test"}}, {});
    const double mine[] = {1e16, 1, -1e16, 1, 3e-5};
    sums[rank] = ranks.sum(mine[rank]);
    largest[rank] = ranks.largest(mine[rank]);
    errors[rank] = error_of([&] {
      ranks.together([&] {
        if (rank == 3) throw Error(ErrorCode::kValue, "test", "my own");
      });
    });
  });
  for (size_t rank = 0; rank < 5; ++rank) {
    CHECK(sums[rank] == sums[0] && largest[rank] == 1e16, "rank %zu", rank);
    CHECK(errors[rank] == (rank == 3 ? "ERR_VALUE [test] my own"
                                     : "ERR_RANK_FAILED [group] rank 3 failed: [test] my own"),
          "rank %zu: %s", rank, errors[rank].c_str());
  }
}

}  // namespace

int main() {
  test_each_pair_once();
  test_ways();
  test_layout();
  test_messages();
  test_failure_wakes_all();
  test_abort_before_the_meeting();
  test_ranks();
  return check::summary();
}
