// The protocol of a group, with ranks as threads (rank_hub.h): what settles when a rank fails, leaves, is
// late or silent. Real processes under real libraries are in test/mpi.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "comm/mpi/group.h"
#include "comm/mpi/group_communicator.h"
#include "core/errors.h"
#include "rank_hub.h"

using namespace infcl;
using namespace infcl::mpi;
using ranks::Hub;
using ranks::Rank;
using ranks::run_ranks;

namespace {

// Short waits, so that a test of a deadline takes a second.
constexpr Patience kShort{0.4, 0.2, 0.1, 0.3, 0.4};
// For tests in which no deadline may pass.
constexpr Patience kLong{60, 0.5, 0.1, 5, 60};

unsigned char byte_of(int rank, size_t i) {
  return static_cast<unsigned char>(rank * 101 + i * 7 + i / 4096);
}

std::vector<unsigned char> bytes_of(int rank, size_t count) {
  std::vector<unsigned char> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = byte_of(rank, i);
  return bytes;
}

// The message of an error of this code; "another code: …" for others, "" for none.
template <class F>
std::string error_of(F f, ErrorCode code = ErrorCode::kRankFailed) {
  try {
    f();
    return "";
  } catch (const Error& e) {
    return e.code() == code ? e.what() : std::string("another code: ") + e.what();
  }
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void gather(Rank& r) {
  const int mine = r.rank() + 10;
  std::vector<int> all(static_cast<size_t>(r.size()));
  r.communicator.all_gather(&mine, sizeof mine, all.data(), {});
  for (int i = 0; i < r.size(); ++i)
    CHECK(all[static_cast<size_t>(i)] == i + 10, "%d", all[static_cast<size_t>(i)]);
}

// Sizes round the size of a piece, and several exchanges in flight.
void test_exchanges() {
  for (int n = 1; n <= 4; ++n) {
    Hub hub(n);
    run_ranks(hub, n, kLong, [n](Rank& r) {
      gather(r);
      for (const size_t bytes : {size_t{1}, Pieces::kLargestPiece, 4 * Pieces::kLargestPiece + 1})
        for (int distance = 1; distance <= n; ++distance) {
          const int from = ((r.rank() - distance) % n + n) % n;
          const auto out = bytes_of(r.rank(), bytes + static_cast<size_t>(r.rank()));
          const auto expected = bytes_of(from, bytes + static_cast<size_t>(from));
          std::vector<unsigned char> in(expected.size());
          r.communicator.begin_exchange(distance, {out.data(), out.size()}, {in.data(), in.size()});
          r.communicator.end_exchange({});
          CHECK(in == expected, "%zu bytes over %d of %d", bytes, distance, n);
        }
      std::vector<std::vector<unsigned char>> out, in;
      for (int i = 0; i < 5; ++i) {
        out.push_back(bytes_of(r.rank() + i, static_cast<size_t>(i) * 300001));
        in.emplace_back(out.back().size());
      }
      for (size_t i = 0; i < 5; ++i)
        r.communicator.begin_exchange(1, {out[i].data(), out[i].size()}, {in[i].data(), in[i].size()});
      for (size_t i = 0; i < 5; ++i) {
        r.communicator.end_exchange({});
        const int from = (r.rank() - 1 + n) % n;
        CHECK(in[i] == bytes_of(from + static_cast<int>(i), i * 300001), "exchange %zu", i);
      }
      CHECK(r.group->close({}) == Departure::kInOrder, "rank %d of %d", r.rank(), n);
      CHECK(has(error_of([&] { gather(r); }), "the group was closed"), "after close");
    });
    CHECK(hub.aborted().empty(), "%d ranks", n);
  }
}

void wait_for(const std::atomic<int>& count, int wanted) {
  while (count < wanted) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// One round, two and three, full and not.
void test_smallest() {
  for (const int n : {1, 2, 3, 7, 8, 9, 17, 65}) {
    Hub hub(n);
    run_ranks(hub, n, kLong, [n](Rank& r) {
      for (const int lowest : {0, n / 2, n - 1}) {
        const int32_t got = r.communicator.smallest(r.rank() == lowest ? -7 : r.rank());
        CHECK(got == -7, "%d on rank %d of %d, not that of rank %d", got, r.rank(), n, lowest);
      }
      CHECK(r.communicator.smallest(n - r.rank()) == 1, "rank %d of %d", r.rank(), n);
      CHECK(r.group->close({}) == Departure::kInOrder, "rank %d of %d", r.rank(), n);
    });
  }
}

// Most ranks exchange no message with the late one: they wait for ranks that wait for it.
void test_late_among_many() {
  constexpr int kRanks = 20, kLate = 11;
  Hub hub(kRanks);
  std::atomic<int> told{0};
  Patience patience = kShort;
  patience.answers = 3;  // of 20 ranks on a machine with few processors
  run_ranks(hub, kRanks, patience, [&told](Rank& r) {
    r.communicator.smallest(0);
    if (r.rank() == kLate) return wait_for(told, kRanks - 1);
    const std::string error = error_of([&] { r.communicator.smallest(0); });
    const size_t blame = error.find("not called by rank 11");
    CHECK(
        blame != std::string::npos && error.find(',', blame) == std::string::npos && !has(error, "no answer"),
        "rank %d: %s", r.rank(), error.c_str());
    ++told;
  });
}

void test_failure_ends_all() {
  Hub hub(3);
  run_ranks(hub, 3, kLong, [](Rank& r) {
    gather(r);
    if (r.rank() == 1) {
      r.communicator.fail(Error(ErrorCode::kNotFinite, "check", "NaN at row 3"));
      CHECK(error_of([&] { gather(r); }) == "[group] rank 1: [check] NaN at row 3", "the rank itself");
      return;
    }
    const std::string expected = "[group] rank 1: [check] NaN at row 3";
    CHECK(error_of([&] { gather(r); }) == expected, "rank %d", r.rank());
    CHECK(error_of([&] { gather(r); }) == expected, "the group stays broken");
    CHECK(r.group->close({}) == Departure::kFailed, "a broken group cannot be finalized");
  });
  CHECK(hub.aborted().empty(), "close() ends no process");
}

void test_late_rank() {
  Hub hub(3);
  std::atomic<int> told{0};
  run_ranks(hub, 3, kShort, [&told](Rank& r) {
    gather(r);
    if (r.rank() == 1) return wait_for(told, 2);
    const Clock::time_point begin = Clock::now();
    const std::string error = error_of([&] { gather(r); });
    CHECK(has(error, "s in exchange 2: not called by rank 1"), "%s", error.c_str());
    CHECK(seconds_since(begin) >= 0.4, "%g s", seconds_since(begin));
    ++told;
  });
}

void test_silent_rank() {
  Hub hub(3);
  std::atomic<int> told{0};
  run_ranks(hub, 3, kShort, [&](Rank& r) {
    gather(r);
    if (r.rank() == 2) {
      hub.freeze(2);
      return wait_for(told, 2);
    }
    const std::string error = error_of([&] { gather(r); });
    CHECK(has(error, "no answer from rank 2") && !has(error, "not called"), "%s", error.c_str());
    ++told;
  });
}

// The deadline watches progress, and only while a thread waits.
void test_slow_is_not_late() {
  Hub hub(2);
  std::atomic<int> arrived{0};
  run_ranks(hub, 2, kShort, [&](Rank& r) {
    const int mine = 1;
    int other = 0;
    // longer than timeout and answers together
    if (r.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(900));
    r.communicator.begin_exchange(1, {&mine, 4}, {&other, 4});
    ++arrived;
    wait_for(arrived, 2);
    r.communicator.end_exchange({});
    CHECK(other == 1, "%d", other);
    gather(r);
    CHECK(r.group->close({}) == Departure::kInOrder, "rank %d", r.rank());
  });
}

void test_rank_that_has_left() {
  Hub hub(3);
  std::atomic<int> told{0};
  run_ranks(hub, 3, kLong, [&told](Rank& r) {
    gather(r);
    if (r.rank() == 1) {
      const Departure departure = r.group->leave(0);
      CHECK(departure == Departure::kFailed, "the others need it: %d", static_cast<int>(departure));
      return;
    }
    const std::string error = error_of([&] { gather(r); });
    CHECK(error == "[group] rank 1 has ended and takes no part in exchange 2", "%s", error.c_str());
    ++told;
    r.group->leave(5);
  });
  CHECK(told == 2, "%d", told.load());
  CHECK(hub.aborted()[0] == 5 && hub.aborted()[2] == 5, "%d", hub.aborted()[0]);
}

void test_departure() {
  for (const int code : {0, 3}) {
    Hub hub(2);
    run_ranks(hub, 2, kLong, [code](Rank& r) {
      gather(r);
      const Departure departure = r.group->leave(r.rank() == 1 ? code : 0);
      CHECK((departure == Departure::kInOrder) == (code == 0), "rank %d, code %d", r.rank(), code);
    });
    const std::map<int, int> expected = code == 0 ? std::map<int, int>{} : std::map<int, int>{{0, 1}, {1, 3}};
    CHECK(hub.aborted() == expected, "code %d", code);
  }
  // in the middle of an exchange, 0 is no good end either
  Hub hub(2);
  run_ranks(hub, 2, kLong, [](Rank& r) {
    int in = 0;
    if (r.rank() == 1) {
      r.communicator.begin_exchange(1, {&in, 4}, {&in, 4});
      r.group->leave(0);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const std::string error = error_of([&] {
      gather(r);
      gather(r);
    });
    CHECK(has(error, "rank 1 ended with exit code 0 in exchange 1"), "%s", error.c_str());
  });
  CHECK(hub.aborted()[1] == 1, "%d", hub.aborted()[1]);
}

void test_finalize_that_hangs() {
  static Hub& hub = *new Hub(2);  // the groups' threads use the hub after the test
  hub.hang_in_finalize();
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank)
    threads.emplace_back([rank] {
      const auto group = Group::start([rank] { return hub.wire(rank); }, kShort);
      group->wait_until_open({});
      CHECK(group->close({}) == Departure::kHangs, "rank %d", rank);
      CHECK(group->leave(0) == Departure::kHangs, "rank %d", rank);
      group->abandon();
    });
  for (std::thread& thread : threads) thread.join();
  hub.stop_hanging();
}

void test_abort() {
  Hub hub(2);
  run_ranks(hub, 2, kLong, [](Rank& r) {
    int32_t words[Control::kWords] = {0, 0, 0};
    int in = 0;
    if (r.rank() == 0) {
      words[Control::kAbort] = 1;
      r.communicator.begin_exchange(1, {&in, 4}, {&in, 4});
      const std::string error = error_of([&] { r.communicator.end_exchange({words}); }, ErrorCode::kAborted);
      CHECK(has(error, "the call was aborted"), "%s", error.c_str());
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::string error = error_of([&] {
      gather(r);
      gather(r);
    });
    CHECK(has(error, "rank 0 aborted a call in the middle of exchange 1"), "%s", error.c_str());
  });
}

void test_sizes_that_differ() {
  Hub hub(2);
  run_ranks(hub, 2, kLong, [](Rank& r) {
    std::vector<char> out(r.rank() == 0 ? 10000 : 20000), in(out.size());
    r.communicator.begin_exchange(1, {out.data(), out.size()}, {in.data(), in.size()});
    const std::string error = error_of([&] {
      r.communicator.end_exchange({});
      gather(r);
      gather(r);
    });
    CHECK(has(error, "rank 0: MPI_Test: message truncated"), "%s", error.c_str());
  });
}

void test_open_failure() {
  const auto group = Group::start(
      []() -> std::unique_ptr<Wire> { throw Error(ErrorCode::kBackendUnavailable, "mpi", "no library"); },
      kShort);
  const std::string error = error_of([&] { group->wait_until_open({}); }, ErrorCode::kBackendUnavailable);
  CHECK(error == "[mpi] no library", "%s", error.c_str());
  group->abandon();

  std::atomic<bool> go{false};
  Hub hub(1);
  const auto late = Group::start(
      [&]() {
        while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return hub.wire(0);
      },
      kShort);
  CHECK(has(error_of([&] { late->wait_until_open({}); }), "MPI has not begun in 0 s"),
        "a launcher that waits");
  go = true;
  late->wait_until_open({});
  CHECK(late->close({}) == Departure::kInOrder, "a late begin");
  late->abandon();
}

void test_verdicts() {
  Enquiry enquiry(12, {0, 1, 3, 4});
  enquiry.answer(0, {12, true});
  enquiry.answer(1, {11, false});
  enquiry.answer(4, {10, false});
  CHECK(enquiry.verdict(2, 3.5) ==
            "rank 2 waited 3.5 s in exchange 12: not called by rank 4; no answer from rank 3",
        "%s", enquiry.verdict(2, 3.5).c_str());
  Enquiry all_there(3, {1});
  all_there.answer(1, {3, true});
  CHECK(has(all_there.verdict(0, 1), "all ranks have called it, but its messages do not move"), "all there");
  Enquiry third(7, {0, 1, 2});
  third.answer(0, {6, true});
  third.answer(1, {5, true});
  CHECK(has(third.verdict(3, 1), "exchange 7: no answer from rank 2"), "%s", third.verdict(3, 1).c_str());
  third.answer(2, {6, false});
  CHECK(has(third.verdict(3, 1), "exchange 7: not called by rank 2"), "%s", third.verdict(3, 1).c_str());
  std::set<int> many;
  for (int i = 1; i < 20; ++i) many.insert(i);
  CHECK(has(Enquiry(1, many).verdict(0, 1), "no answer from ranks 1, 2, 3, 4, 5, 6, 7, 8 and 11 more"),
        "many");
}

}  // namespace

int main() {
  test_verdicts();
  test_exchanges();
  test_smallest();
  test_failure_ends_all();
  test_late_rank();
  test_late_among_many();
  test_silent_rank();
  test_slow_is_not_late();
  test_rank_that_has_left();
  test_departure();
  test_finalize_that_hangs();
  test_abort();
  test_sizes_that_differ();
  test_open_failure();
  return check::summary();
}
