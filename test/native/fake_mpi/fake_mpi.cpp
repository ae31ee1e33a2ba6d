// A stand-in for an MPI library, with one rank that can send to itself. Compiled once for each layout of
// csrc/comm/mpi/abi.h, so that every machine can test how infcl finds a library and its layout. Calls with a
// constant of another layout fail.
//
//   FAKE_MPICH, FAKE_STANDARD   the layout; by default that of Open MPI
//   FAKE_VERSION                the text of MPI_Get_library_version
//   FAKE_EMPTY                  no function of MPI at all
//   FAKE_OLD                    leaves out MPI_Ibarrier, which MPI has since version 3
//
// The environment variable FAKE_MPI_SIZE is the number of ranks that the library claims.
#if !defined(FAKE_EMPTY)
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

#if defined(FAKE_MPICH)
using Handle = int;
const Handle kWorld = 0x44000000, kByte = 0x4c00010d, kReturn = 0x54000001, kNoRequest = 0x2c000000;
constexpr int kAnySource = -2, kFunneled = 1;
void* const kIgnore = reinterpret_cast<void*>(1);
Handle handle_of(int n) { return 0x2c000001 + n; }
int number_of(Handle h) { return h - 0x2c000001; }
#else
using Handle = void*;
Handle handle_of(int n) { return reinterpret_cast<Handle>(static_cast<size_t>(0x10000 + n)); }
int number_of(Handle h) { return static_cast<int>(reinterpret_cast<size_t>(h)) - 0x10000; }
void* const kIgnore = nullptr;
constexpr int kAnySource = -1;
#if defined(FAKE_STANDARD)
Handle numbered(size_t n) { return reinterpret_cast<Handle>(n); }
const Handle kWorld = numbered(0x101), kByte = numbered(0x247), kReturn = numbered(0x143),
             kNoRequest = numbered(0x180);
constexpr int kFunneled = 1024;
#else
extern "C" {
__attribute__((visibility("default"))) int ompi_mpi_comm_world, ompi_mpi_byte, ompi_mpi_errors_return,
    ompi_request_null;
}
const Handle kWorld = &ompi_mpi_comm_world, kByte = &ompi_mpi_byte, kReturn = &ompi_mpi_errors_return,
             kNoRequest = &ompi_request_null;
constexpr int kFunneled = 1;
#endif
#endif

namespace {

struct Request {
  bool is_send, ended = false;
  std::string sent;
  char* into;
  int count, tag;
};

bool initialized = false;
Handle copy_of_world = handle_of(-1);
std::deque<Request>& requests() {
  static auto* all = new std::deque<Request>;
  return *all;
}

enum { kSuccess = 0, kWrongConstant = 1, kTruncated = 2 };

int start(Request request, Handle type, Handle comm, Handle* out) {
  if (type != kByte || comm != copy_of_world || *out != kNoRequest) return kWrongConstant;
  requests().push_back(std::move(request));
  *out = handle_of(static_cast<int>(requests().size()) - 1);
  return kSuccess;
}

// Pairs the first receive that waits with the first message of its tag.
int match(Request& receive) {
  for (Request& send : requests()) {
    if (!send.is_send || send.ended || send.tag != receive.tag) continue;
    if (send.sent.size() > static_cast<size_t>(receive.count)) return kTruncated;
    std::memcpy(receive.into, send.sent.data(), send.sent.size());
    send.ended = receive.ended = true;
    break;
  }
  return kSuccess;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int MPI_Get_library_version(char* text, int* length) {
  std::strcpy(text, FAKE_VERSION "\nsecond line");
  *length = static_cast<int>(std::strlen(text));
  return kSuccess;
}
#if defined(FAKE_STANDARD)
EXPORT int MPI_Abi_get_version(int* major, int* minor) {
  *major = 1;
  *minor = 0;
  return kSuccess;
}
#endif
EXPORT int MPI_Initialized(int* flag) {
  *flag = initialized;
  return kSuccess;
}
EXPORT int MPI_Init_thread(int*, char***, int required, int* provided) {
  if (required != kFunneled) return kWrongConstant;
  initialized = true;
  *provided = required;
  return kSuccess;
}
EXPORT int MPI_Finalize() {
  initialized = false;
  return kSuccess;
}
EXPORT int MPI_Abort(Handle comm, int code) { std::_Exit(comm == kWorld ? code : 99); }
EXPORT int MPI_Comm_rank(Handle comm, int* rank) {
  *rank = 0;
  return comm == copy_of_world ? kSuccess : kWrongConstant;
}
EXPORT int MPI_Comm_size(Handle comm, int* size) {
  const char* const claimed = std::getenv("FAKE_MPI_SIZE");
  *size = claimed ? std::atoi(claimed) : 1;
  return comm == copy_of_world ? kSuccess : kWrongConstant;
}
EXPORT int MPI_Comm_dup(Handle comm, Handle* copy) {
  *copy = copy_of_world;
  return comm == kWorld ? kSuccess : kWrongConstant;
}
EXPORT int MPI_Comm_set_errhandler(Handle, Handle handler) {
  return handler == kReturn ? kSuccess : kWrongConstant;
}
EXPORT int MPI_Isend(const void* data, int count, Handle type, int to, int tag, Handle comm,
                     Handle* request) {
  if (to != 0) return kWrongConstant;
  return start({true, false, std::string(static_cast<const char*>(data), static_cast<size_t>(count)), nullptr,
                count, tag},
               type, comm, request);
}
EXPORT int MPI_Irecv(void* into, int count, Handle type, int from, int tag, Handle comm, Handle* request) {
  if (from != 0 && from != kAnySource) return kWrongConstant;
  return start({false, false, "", static_cast<char*>(into), count, tag}, type, comm, request);
}
#if !defined(FAKE_OLD)
EXPORT int MPI_Ibarrier(Handle comm, Handle* request) {
  return start({true, true, "", nullptr, 0, 0}, kByte, comm, request);
}
#endif
EXPORT int MPI_Test(Handle* request, int* flag, void* status) {
  if (status != kIgnore) return kWrongConstant;
  Request& r = requests()[static_cast<size_t>(number_of(*request))];
  const int result = r.is_send || r.ended ? kSuccess : match(r);
  *flag = r.ended;
  if (r.ended) *request = kNoRequest;
  return result;
}
EXPORT int MPI_Error_string(int code, char* text, int* length) {
  std::strcpy(text, code == kTruncated ? "message truncated" : "a constant of another layout");
  *length = static_cast<int>(std::strlen(text));
  return kSuccess;
}
#endif
