// Stands in for what glibc has only since a version newer than the floor, so that a binary starts with an
// older glibc.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INFCL_HIDDEN extern "C" __attribute__((visibility("hidden")))

// A variable of glibc 2.32 that libstdc++ reads. Zero means that the process may have threads, which is
// always right.
INFCL_HIDDEN char __libc_single_threaded;
char __libc_single_threaded = 0;

// Functions of glibc 2.33. Older headers called others in their place. On x64 and arm64 the kernel fills in
// the structure as glibc declares it. The functions are declared here and not by sys/stat.h, so that they may
// be hidden.
struct stat;
INFCL_HIDDEN int stat(const char* path, struct stat* facts) noexcept;
INFCL_HIDDEN int fstat(int file, struct stat* facts) noexcept;

int stat(const char* path, struct stat* facts) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, facts, 0));
}

int fstat(int file, struct stat* facts) noexcept { return static_cast<int>(syscall(SYS_fstat, file, facts)); }
