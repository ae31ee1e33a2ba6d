// Windows: sections of files. The system refuses to truncate or delete a file while a section of it is
// mapped, and a file that is open for reading here cannot be written by others.
#include <windows.h>

#include <algorithm>
#include <string>

#include "core/errors.h"
#include "store/file.h"

namespace infcl::store {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw Error(ErrorCode::kStore, "store",
              "Cannot " + what + " " + path + ": error " + std::to_string(GetLastError()) + " of Windows");
}

// Paths arrive as UTF-8.
std::wstring widen(const std::string& path) {
  const int bytes = static_cast<int>(path.size());
  const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), bytes, nullptr, 0);
  if (length <= 0) fail("open", path);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), bytes, wide.data(), length);
  return wide;
}

HANDLE handle_of(const File& file) { return reinterpret_cast<HANDLE>(file.descriptor()); }

int64_t join(DWORD high, DWORD low) { return static_cast<int64_t>(uint64_t{high} << 32 | low); }

FileFacts read_facts(HANDLE file, const std::string& path) {
  BY_HANDLE_FILE_INFORMATION info;
  if (!GetFileInformationByHandle(file, &info)) fail("examine", path);
  // Windows counts steps of 100 ns since 1601
  constexpr int64_t kFrom1601To1970 = 116444736000000000;
  const int64_t modified = join(info.ftLastWriteTime.dwHighDateTime, info.ftLastWriteTime.dwLowDateTime);
  return {info.dwVolumeSerialNumber, static_cast<uint64_t>(join(info.nFileIndexHigh, info.nFileIndexLow)),
          join(info.nFileSizeHigh, info.nFileSizeLow), (modified - kFrom1601To1970) * 100};
}

}  // namespace

File::File(const std::string& path, bool writable) : path_(path) {
  const DWORD access = writable ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ;
  // A file that is read here cannot be written, renamed or removed by others. A writer must be able to give
  // its file up.
  const DWORD others = writable ? FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE : FILE_SHARE_READ;
  const HANDLE file = CreateFileW(widen(path).c_str(), access, others, nullptr, OPEN_EXISTING,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) fail("open", path);
  if (GetFileType(file) != FILE_TYPE_DISK) {
    CloseHandle(file);
    throw Error(ErrorCode::kStore, "store",
                "Expected a regular file for " + path + " but it is another kind");
  }
  descriptor_ = reinterpret_cast<intptr_t>(file);
}

File::~File() { CloseHandle(reinterpret_cast<HANDLE>(descriptor_)); }

FileFacts File::facts() const { return read_facts(handle_of(*this), path_); }

int64_t File::read(int64_t offset, int64_t bytes, void* into) const {
  constexpr int64_t kMost = 1 << 30;
  int64_t done = 0;
  while (done < bytes) {
    OVERLAPPED at{};
    at.Offset = static_cast<DWORD>(offset + done);
    at.OffsetHigh = static_cast<DWORD>((offset + done) >> 32);
    DWORD got = 0;
    const DWORD wanted = static_cast<DWORD>(std::min(bytes - done, kMost));
    const bool ok = ReadFile(handle_of(*this), static_cast<char*>(into) + done, wanted, &got, &at);
    if (!ok && GetLastError() != ERROR_HANDLE_EOF) fail("read", path_);
    if (got == 0) break;
    done += got;
  }
  return done;
}

std::optional<FileFacts> facts_of(const std::string& path) {
  const DWORD others = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const HANDLE file = CreateFileW(widen(path).c_str(), FILE_READ_ATTRIBUTES, others, nullptr, OPEN_EXISTING,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) {
    const DWORD error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return std::nullopt;
    fail("examine", path);
  }
  const FileFacts facts = read_facts(file, path);
  CloseHandle(file);
  return facts;
}

// By the index alone: Node has another form of the number of a volume, and the path names the volume already.
bool is_same_file(const FileFacts& a, const FileFacts& b) { return a.index == b.index; }

// The view keeps the section, and the section keeps the file: both handles of the section may go at once.
Pages::Pages(const File& file, int64_t offset, int64_t bytes, bool writable) {
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  const int64_t begin = offset / system.dwAllocationGranularity * system.dwAllocationGranularity;
  length_ = static_cast<size_t>(offset - begin + bytes);
  const HANDLE section =
      CreateFileMappingW(handle_of(file), nullptr, writable ? PAGE_READWRITE : PAGE_READONLY, 0, 0, nullptr);
  if (!section) fail("map", file.path());
  begin_ = MapViewOfFile(section, writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ,
                         static_cast<DWORD>(begin >> 32), static_cast<DWORD>(begin), length_);
  const DWORD error = GetLastError();
  CloseHandle(section);
  SetLastError(error);
  if (!begin_) fail("map", file.path());
  data_ = static_cast<char*>(begin_) + (offset - begin);
}

Pages::~Pages() { UnmapViewOfFile(begin_); }

void Pages::flush(const File& file) const {
  if (!FlushViewOfFile(begin_, length_) || !FlushFileBuffers(handle_of(file))) fail("write", file.path());
}

}  // namespace infcl::store
