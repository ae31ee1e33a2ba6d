#include "comm/mpi/find.h"

#include <initializer_list>

#include "comm/mpi/library.h"
#include "comm/mpi/mpi_wire.h"

namespace infcl::mpi {

namespace {

Library load(const std::string& path, const Launcher& launcher) {
  return Library(path.empty() ? launcher.libraries : std::vector<std::string>{path});
}

// May be called before MPI begins.
std::string version_of(const Library& library) {
  const auto get = reinterpret_cast<int (*)(char*, int*)>(find_symbol(library, "MPI_Get_library_version"));
  char text[abi::kLongestText] = "";
  int length = 0;
  get(text, &length);
  const std::string version(text);
  return version.substr(0, version.find('\n'));
}

// The same MPICH or Open MPI may have both libraries, so the name of the file counts too.
bool is_standard(const Library& library) {
  const auto get = reinterpret_cast<int (*)(int*, int*)>(library.find("MPI_Abi_get_version"));
  int major = -1, minor = -1;
  return get && get(&major, &minor) == 0 && major >= 1 && library.path().find("mpi_abi") != std::string::npos;
}

bool is_mpich(const std::string& version) {
  for (const char* word : {"MPICH", "Intel", "MVAPICH", "ParaStation", "CRAY"})
    if (version.find(word) != std::string::npos) return true;
  return false;
}

LibraryFacts facts_of(const Library& library) {
  LibraryFacts facts{library.path(), "", version_of(library)};
  if (is_standard(library))
    facts.layout = "MPI-5.0";
  else if (library.find("ompi_mpi_comm_world"))
    facts.layout = "Open MPI";
  else if (is_mpich(facts.version))
    facts.layout = "MPICH";
  else
    refuse("the MPI library " + facts.path + " (" + facts.version +
           ") has an unknown layout: infcl knows Open MPI, the MPICH family and the standard ABI of MPI-5.0");
  return facts;
}

std::unique_ptr<Wire> begin(const Library& library, const std::string& layout) {
  if (layout == "MPICH") return std::make_unique<MpiWire<int>>(library, abi::mpich());
  if (layout == "MPI-5.0") return std::make_unique<MpiWire<void*>>(library, abi::standard());
  const auto find = [&](const char* symbol) { return find_symbol(library, symbol); };
  return std::make_unique<MpiWire<void*>>(library, abi::open_mpi(find));
}

// Without this check, the ranks of a wrong library would each train alone, and no error would tell.
void check_size(const LibraryFacts& facts, const Wire& wire, const Launcher& launcher) {
  if (launcher.size < 1 || wire.size() == launcher.size) return;
  refuse(launcher.name + " started " + std::to_string(launcher.size) + " ranks, but " + facts.path + " (" +
         facts.version + ") sees " + std::to_string(wire.size()) +
         ": name the launcher's own library by INFCL_MPI_LIBRARY");
}

}  // namespace

LibraryFacts find_library(const std::string& path, const Launcher& launcher) {
  return facts_of(load(path, launcher));
}

std::unique_ptr<Wire> open_wire(const std::string& path, const Launcher& launcher) {
  const Library library = load(path, launcher);
  const LibraryFacts facts = facts_of(library);
  std::unique_ptr<Wire> wire;
  try {
    wire = begin(library, facts.layout);
  } catch (const WireError& e) {
    refuse(facts.path + " (" + facts.version + ") does not begin: " + e.what());
  }
  check_size(facts, *wire, launcher);
  return wire;
}

}  // namespace infcl::mpi
