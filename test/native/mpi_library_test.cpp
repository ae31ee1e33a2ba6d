// How infcl finds an MPI library, its layout and its launcher: with stand-ins for the libraries, which
// fake_mpi/fake_mpi.cpp is. `mpi_library_test LAYOUT` begins MPI over the stand-in of that layout, which a
// process can do once.
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "check.h"
#include "comm/collectives.h"
#include "comm/mpi/find.h"
#include "comm/mpi/group_communicator.h"
#include "core/errors.h"

using namespace infcl;
using namespace infcl::mpi;
using namespace infcl::comm;

namespace {

std::string fake(const std::string& name) { return std::string(FAKE_MPI_FOLDER) + "/lib" + name + ".so"; }

Launcher launcher(std::map<std::string, std::string> variables) {
  return find_launcher([&](const char* name) { return variables[name]; }, library_names());
}

// The message of the ERR_BACKEND_UNAVAILABLE that `f` throws; empty where it throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
    return "";
  } catch (const Error& e) {
    return e.code() == ErrorCode::kBackendUnavailable ? e.what() : std::string("another code: ") + e.what();
  }
}

template <class F>
void expect_error(const std::string& part, F f) {
  const std::string error = error_of(f);
  CHECK(error.find(part) != std::string::npos && error.rfind("[mpi] ", 0) == 0, "'%s' in '%s'", part.c_str(),
        error.c_str());
}

void test_layouts() {
  for (const auto& [name, layout] : std::map<std::string, std::string>{{"fake_open_mpi", "Open MPI"},
                                                                       {"fake_mpich", "MPICH"},
                                                                       {"fake_intel", "MPICH"},
                                                                       {"fake_mpi_abi", "MPI-5.0"}}) {
    const LibraryFacts facts = find_library(fake(name), launcher({}));
    CHECK(facts.layout == layout, "%s: %s", name.c_str(), facts.layout.c_str());
    CHECK(facts.path.find(name) != std::string::npos, "%s", facts.path.c_str());
    CHECK(facts.version.find('\n') == std::string::npos && !facts.version.empty(), "%s",
          facts.version.c_str());
  }
}

void test_refusals() {
  expect_error("(Unknown MPI 1.0) has an unknown layout",
               [] { find_library(fake("fake_unknown"), launcher({})); });
  expect_error("no MPI library was found (", [] { find_library("/nowhere/libmpi.so", launcher({})); });
  expect_error("name its library by INFCL_MPI_LIBRARY",
               [] { find_library("/nowhere/libmpi.so", launcher({})); });
  expect_error("has no MPI_Get_library_version", [] { find_library(fake("fake_empty"), launcher({})); });
}

void test_launchers() {
  const auto first = [](const Launcher& l) { return l.libraries.empty() ? "" : l.libraries[0]; };
  const Launcher open_mpi = launcher({{"OMPI_COMM_WORLD_SIZE", "3"}, {"PMI_SIZE", "4"}});
  CHECK(open_mpi.size == 3 && first(open_mpi) == library_names().open_mpi[0], "%s", first(open_mpi).c_str());
  const Launcher hydra = launcher({{"PMI_SIZE", "4"}});
  CHECK(hydra.size == 4 && first(hydra) == library_names().mpich[0], "%s", first(hydra).c_str());
  const Launcher slurm = launcher({{"SLURM_STEP_NUM_TASKS", "5"}});
  CHECK(slurm.size == 5 && slurm.libraries.size() > hydra.libraries.size(), "%d", slurm.size);
  for (const char* size : {"", "0", "-1", "many"}) {
    const Launcher none = launcher({{"PMI_SIZE", size}});
    CHECK(none.size == 0 && none.name.empty(), "%s: %d", size, none.size);
  }
}

// A group of one rank over the real code path: library, handles, group, collectives, departure.
void test_group(const std::string& name) {
  const std::string path = fake(name);
  const auto group = Group::start(
      [path] {
        return open_wire(path, launcher({{"PMI_SIZE", "1"}}));
      },
      Patience{});
  group->wait_until_open({});
  CHECK(group->rank() == 0 && group->size() == 1, "%d of %d", group->rank(), group->size());
  GroupCommunicator communicator(group);
  float values[3] = {1, 2, 3};
  all_reduce(communicator, Element::kFloat32, Reduction::kSum, values, 3, {});
  CHECK(values[0] == 1 && values[2] == 3, "%g %g", values[0], values[2]);
  int all = 0;
  const int mine = 7;
  communicator.all_gather(&mine, sizeof mine, &all, {});
  CHECK(all == 7, "%d", all);
  const Departure departure = group->close({});
  CHECK(departure == Departure::kInOrder, "%d", static_cast<int>(departure));
  group->abandon();
  expect_error("MPI can begin once", [&] { open_wire(path, launcher({})); });
}

void test_begin_refused(const std::string& name, const std::map<std::string, std::string>& variables,
                        const char* part) {
  expect_error(part, [&] { open_wire(fake(name), launcher(variables)); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "lonely") {
    test_begin_refused("fake_open_mpi", {{"PMI_SIZE", "2"}},
                       "a launcher of the MPICH family started 2 ranks, but ");
  } else if (what == "old") {
    test_begin_refused("fake_old", {}, "has no MPI_Ibarrier: a newer one is needed");
  } else if (!what.empty()) {
    test_group(what);
  } else {
    test_layouts();
    test_refusals();
    test_launchers();
  }
  return check::summary();
}
