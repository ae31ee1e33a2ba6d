// One rank of a job: the communicator over MPI that the engine uses, without Node. scripts/mpi.mjs starts it
// under each launcher. Prints one line, and ends with status 0 where every byte was right.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "comm/collectives.h"
#include "comm/mpi/find.h"
#include "comm/mpi/group_communicator.h"
#include "core/errors.h"

using namespace infcl;
using namespace infcl::mpi;

namespace {

unsigned char byte_of(int rank, size_t i) {
  return static_cast<unsigned char>(rank * 101 + i * 7 + i / 4096);
}

std::vector<unsigned char> bytes_of(int rank, size_t count) {
  std::vector<unsigned char> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = byte_of(rank, i);
  return bytes;
}

int count_wrong(Communicator& ranks) {
  const int n = ranks.size(), me = ranks.rank();
  int wrong = 0;
  std::vector<int> all(static_cast<size_t>(n));
  ranks.all_gather(&me, sizeof me, all.data(), {});
  for (int r = 0; r < n; ++r) wrong += all[static_cast<size_t>(r)] != r;
  for (int lowest = 0; lowest < n; ++lowest) wrong += ranks.smallest(me == lowest ? -5 : me) != -5;
  // Every rank has another size, and two exchanges are under way at a time.
  const auto size_on = [](int rank, size_t step) {
    return step * 5000011 + static_cast<size_t>(rank) * 1001 + step % 2;
  };
  for (int distance = 1; distance < n; ++distance) {
    const int from = (me - distance + n) % n;
    std::vector<std::vector<unsigned char>> out, in;
    for (size_t step = 0; step < 4; ++step) {
      out.push_back(bytes_of(me, size_on(me, step)));
      in.emplace_back(size_on(from, step));
    }
    for (size_t step = 0; step < 4; ++step) {
      ranks.begin_exchange(distance, {out[step].data(), out[step].size()},
                           {in[step].data(), in[step].size()});
      if (step == 0) continue;
      ranks.end_exchange({});
      wrong += in[step - 1] != bytes_of(from, size_on(from, step - 1));
    }
    ranks.end_exchange({});
    wrong += in[3] != bytes_of(from, size_on(from, 3));
  }
  double sum = me + 1;
  comm::all_reduce(ranks, comm::Element::kFloat64, comm::Reduction::kSum, &sum, 1, {});
  wrong += sum != n * (n + 1) / 2.0;
  return wrong;
}

}  // namespace

int main() {
  const auto variable = [](const char* name) -> std::string {
    const char* const value = std::getenv(name);
    return value ? value : "";
  };
  try {
    const Launcher launcher = find_launcher(variable, library_names());
    const auto group = Group::start([launcher] { return open_wire("", launcher); }, Patience{});
    group->wait_until_open({});
    GroupCommunicator ranks(group);
    const int wrong = count_wrong(ranks);
    std::printf("RANK {\"rank\":%d,\"size\":%d,\"wrong\":%d}\n", group->rank(), group->size(), wrong);
    std::fflush(stdout);
    const Departure departure = group->leave(wrong == 0 ? 0 : 1);
    std::_Exit(departure == Departure::kFailed ? 1 : 0);
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    std::_Exit(1);
  }
}
