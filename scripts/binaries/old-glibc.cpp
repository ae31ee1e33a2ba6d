// Stands in for names of new versions of glibc that libstdc++ uses, and that have no older version. A binary
// with these stand-ins starts with an older glibc.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSIDE extern "C" __attribute__((visibility("hidden")))

// glibc 2.32. Zero means that the process may have threads, which is always right.
INSIDE char __libc_single_threaded;
char __libc_single_threaded = 0;

// glibc 2.33; before, a function of the headers. Streams ask for the size of a file. On 64-bit processors,
// the kernel and glibc have the same struct.
INSIDE int fstat64(int file, struct stat64* result) noexcept {
  return static_cast<int>(syscall(SYS_fstat, file, result));
}
