// MPI as a binary: which functions infcl calls, and what MPI's constants are. infcl is compiled without an
// MPI and finds the library at run time. MPI fixed names and meanings from the start, and the bits only in
// version 5.0. Three layouts cover the libraries that are in use:
//
//   Open MPI   a handle points to an object that the library exports, such as ompi_mpi_byte
//   MPICH      a handle is an int with its kind in the upper bits. The "MPICH ABI Compatibility Initiative"
//              fixes the numbers for MPICH 3.1, Intel MPI 5, MVAPICH2 2, Cray MPT 7, ParaStation MPI
//   MPI-5.0    a handle is a small number in a pointer (chapter 20 of the standard; library libmpi_abi)
//
// Refuses to look at a status, whose size and fields differ between the layouts.
#pragma once

#include <cstdint>

namespace infcl::mpi::abi {

template <class Handle>
struct Functions {
  int (*Initialized)(int* flag);
  int (*InitThread)(int* argc, char*** argv, int required, int* provided);
  int (*Finalize)();
  int (*Abort)(Handle comm, int code);
  int (*CommRank)(Handle comm, int*);
  int (*CommSize)(Handle comm, int*);
  int (*CommDup)(Handle comm, Handle* copy);
  int (*CommSetErrhandler)(Handle comm, Handle handler);
  int (*Isend)(const void*, int count, Handle type, int to, int tag, Handle comm, Handle* request);
  int (*Irecv)(void*, int count, Handle type, int from, int tag, Handle comm, Handle* request);
  int (*Ibarrier)(Handle comm, Handle* request);
  int (*Test)(Handle* request, int* flag, void* status);
  int (*ErrorString)(int code, char* text, int* length);
};

template <class Handle>
struct Constants {
  Handle world, errors_return, byte, request_null;
  void* status_ignore;
  int any_source;
  int funneled;  // MPI_THREAD_FUNNELED: one thread of the process makes all calls
};

// The longest text of any library: a version (8,192 in MPICH) or an error.
constexpr int kLongestText = 8192;

inline void* number(uintptr_t n) { return reinterpret_cast<void*>(n); }

inline Constants<int> mpich() { return {0x44000000, 0x54000001, 0x4c00010d, 0x2c000000, number(1), -2, 1}; }

inline Constants<void*> standard() {
  return {number(0x101), number(0x143), number(0x247), number(0x180), nullptr, -1, 1024};
}

// `find` returns the address of an exported object, or throws.
template <class Find>
Constants<void*> open_mpi(Find find) {
  return {find("ompi_mpi_comm_world"),
          find("ompi_mpi_errors_return"),
          find("ompi_mpi_byte"),
          find("ompi_request_null"),
          nullptr,
          -1,
          1};
}

}  // namespace infcl::mpi::abi
