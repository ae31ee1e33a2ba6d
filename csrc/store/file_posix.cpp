// Linux and macOS. A mapping is shared with the file: pages of a read-only mapping count as cache of the
// system, not as memory of this process.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/errors.h"
#include "store/file.h"

namespace infcl::store {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const int error = errno;
  throw Error(ErrorCode::kStore, "store",
              "Cannot " + what + " " + path + ": " + std::generic_category().message(error));
}

int64_t nanoseconds(const timespec& time) { return time.tv_sec * int64_t{1000000000} + time.tv_nsec; }

FileFacts read_facts(const struct stat& s) {
#if defined(__APPLE__)
  const timespec& modified = s.st_mtimespec;
#else
  const timespec& modified = s.st_mtim;
#endif
  return {static_cast<uint64_t>(s.st_dev), static_cast<uint64_t>(s.st_ino), static_cast<int64_t>(s.st_size),
          nanoseconds(modified)};
}

}  // namespace

// O_NONBLOCK: to open a pipe would wait for its other end. The flag means nothing for a regular file.
File::File(const std::string& path, bool writable) : path_(path) {
  descriptor_ = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  if (descriptor_ < 0) fail("open", path);
  struct stat s;
  const bool known = fstat(static_cast<int>(descriptor_), &s) == 0;
  if (known && S_ISREG(s.st_mode)) return;
  const int error = errno;
  ::close(static_cast<int>(descriptor_));
  if (known)
    throw Error(ErrorCode::kStore, "store",
                "Expected a regular file for " + path + " but it is another kind");
  errno = error;
  fail("examine", path);
}

File::~File() { ::close(static_cast<int>(descriptor_)); }

FileFacts File::facts() const {
  struct stat s;
  if (fstat(static_cast<int>(descriptor_), &s) != 0) fail("examine", path_);
  return read_facts(s);
}

int64_t File::read(int64_t offset, int64_t bytes, void* into) const {
  int64_t done = 0;
  while (done < bytes) {
    const ssize_t got = pread(static_cast<int>(descriptor_), static_cast<char*>(into) + done,
                              static_cast<size_t>(bytes - done), offset + done);
    if (got == 0) break;
    if (got > 0) done += got;
    if (got < 0 && errno != EINTR) fail("read", path_);
  }
  return done;
}

std::optional<FileFacts> facts_of(const std::string& path) {
  struct stat s;
  if (stat(path.c_str(), &s) == 0) return read_facts(s);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail("examine", path);
}

bool is_same_file(const FileFacts& a, const FileFacts& b) {
  return a.device == b.device && a.index == b.index;
}

Pages::Pages(const File& file, int64_t offset, int64_t bytes, bool writable) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t begin = offset / page * page;
  length_ = static_cast<size_t>(offset - begin + bytes);
  const int access = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* mapped = mmap(nullptr, length_, access, MAP_SHARED, static_cast<int>(file.descriptor()), begin);
  if (mapped == MAP_FAILED) fail("map", file.path());
  begin_ = mapped;
  data_ = static_cast<char*>(mapped) + (offset - begin);
}

Pages::~Pages() { munmap(begin_, length_); }

void Pages::flush(const File& file) const {
  if (msync(begin_, length_, MS_SYNC) != 0) fail("write", file.path());
}

}  // namespace infcl::store
