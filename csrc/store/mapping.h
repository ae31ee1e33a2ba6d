// The data of a store as memory: a part of a file, mapped for reading, or for writing where gradients go to a
// store. Features of a mapping are read where they lie, so a call needs no memory for them.
//
// A mapping cannot survive everything. Where another process truncates the file, or a disk fails, while a
// call reads the pages, the system ends the process (SIGBUS). `check` finds a file that was changed before or
// after a call. `read` copies through the system instead, which reports such a failure as an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/file.h"

namespace infcl::store {

struct MappingRequest {
  std::string path;    // absolute: the folder of the process may change while the file is open
  int64_t offset = 0;  // of the first byte that is mapped
  int64_t bytes = 0;
  bool writable = false;
  // The file as the reader of its header saw it. A file that has changed since then is refused.
  std::optional<FileFacts> expected;
};

class Mapping {
 public:
  // Throws Error (ERR_STORE) for a range beyond the file, or a file that is not the expected one.
  explicit Mapping(const MappingRequest&);

  char* data() const { return pages_.data(); }
  int64_t bytes() const { return bytes_; }
  bool writable() const { return writable_; }

  // Throws Error (ERR_STORE) where the path leads to another file now, or where the file was changed. Another
  // size of a writable mapping is a change too; another content is not.
  void check() const;
  // Copies bytes from `offset` of the mapping on, as the file has them now. Throws as `check`.
  void read(int64_t offset, int64_t bytes, void* into) const;
  // For a writable mapping: the file has all that was written when this returns.
  void flush() const { pages_.flush(file_); }

 private:
  const File file_;
  const int64_t offset_;
  const int64_t bytes_;
  const bool writable_;
  const FileFacts facts_;
  const Pages pages_;
};

}  // namespace infcl::store
