// The few functions of an operating system that a mapping needs. A file for each family of systems has them.
// All functions throw Error (ERR_STORE), with the path and the reason of the system, where nothing else is
// said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace infcl::store {

// Which file a path leads to, and the state of that file.
struct FileFacts {
  uint64_t device = 0;
  uint64_t index = 0;  // the inode; on Windows the file index
  int64_t bytes = 0;
  int64_t modified_ns = 0;  // time of the last change, since 1970
};

// An open file. Closed by the destructor.
class File {
 public:
  // Refuses what is no regular file: the size of a pipe or of a device says nothing.
  File(const std::string& path, bool writable);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  FileFacts facts() const;
  // Copies bytes of the file to `into`. Returns how many there were: fewer than `bytes` where the file ends.
  int64_t read(int64_t offset, int64_t bytes, void* into) const;

  const std::string& path() const { return path_; }
  intptr_t descriptor() const { return descriptor_; }

 private:
  const std::string path_;
  intptr_t descriptor_ = -1;
};

// The file that a path leads to now, or nothing where there is no such file.
std::optional<FileFacts> facts_of(const std::string& path);

// Whether both facts are of one file. Ignores size and time.
bool is_same_file(const FileFacts&, const FileFacts&);

// Bytes of a file as memory. Unmapped by the destructor.
class Pages {
 public:
  // `offset` and `bytes` lie within the file, and `bytes` is at least 1. Any offset is possible.
  Pages(const File&, int64_t offset, int64_t bytes, bool writable);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  char* data() const { return data_; }
  // Writes changed pages to the file, and returns when the system has them.
  void flush(const File&) const;

 private:
  void* begin_ = nullptr;  // of the first page
  size_t length_ = 0;
  char* data_ = nullptr;
};

}  // namespace infcl::store
