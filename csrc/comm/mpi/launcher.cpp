#include "comm/mpi/launcher.h"

#include <cstdlib>

namespace infcl::mpi {

namespace {

std::vector<std::string> join(std::initializer_list<std::vector<std::string>> lists) {
  std::vector<std::string> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace

Launcher find_launcher(const Variable& variable, const LibraryNames& names) {
  const auto number = [&](const char* name) { return std::atoi(variable(name).c_str()); };
  if (const int size = number("OMPI_COMM_WORLD_SIZE"); size > 0)
    return {"Open MPI's launcher", size, join({names.open_mpi, names.standard})};
  // Hydra, the launcher of MPICH and Intel MPI, and others that speak its protocol
  if (const int size = number("PMI_SIZE"); size > 0)
    return {"a launcher of the MPICH family", size, join({names.mpich, names.standard})};
  // srun starts ranks of any library and does not say of which one
  const std::vector<std::string> any = join({names.open_mpi, names.mpich, names.standard});
  if (const int size = number("SLURM_STEP_NUM_TASKS"); size > 1) return {"Slurm", size, any};
  return {"", 0, any};
}

}  // namespace infcl::mpi
