// Mappings of files: bytes at any offset, ranges that no file has, and files that change while they are open.
// Where a system refuses such a change (Windows), the mapping must stay as it was.
#include "store/mapping.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "core/errors.h"

namespace fs = std::filesystem;
using infcl::store::FileFacts;
using infcl::store::Mapping;
using infcl::store::MappingRequest;

namespace {

constexpr int64_t kBytes = 200000;  // more than the 64 KiB in which Windows maps

char byte_at(int64_t i) { return static_cast<char>(i * 31 + i / 251); }

// A folder of its own with one file.
class Folder {
 public:
  Folder() {
    std::random_device random;
    root_ = fs::temp_directory_path() / ("infcl-mapping-" + std::to_string(random()));
    fs::create_directories(root_);
    write(path(), kBytes);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  std::string path(const char* name = "file.bin") const { return (root_ / name).string(); }
  std::string root() const { return root_.string(); }
  static void write(const std::string& path, int64_t bytes) {
    std::ofstream out(path, std::ios::binary);
    for (int64_t i = 0; i < bytes; ++i) out.put(byte_at(i));
  }

 private:
  fs::path root_;
};

MappingRequest request(const Folder& folder, int64_t offset, int64_t bytes) {
  MappingRequest r;
  r.path = folder.path();
  r.offset = offset;
  r.bytes = bytes;
  return r;
}

// The message of the ERR_STORE that `f` throws; empty where it throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
    return "";
  } catch (const infcl::Error& e) {
    return e.code() == infcl::ErrorCode::kStore ? e.what() : std::string("another code: ") + e.what();
  }
}

template <class F>
void expect_error(const char* what, const std::string& part, F f) {
  const std::string error = error_of(f);
  CHECK(error.find(part) != std::string::npos && error.rfind("[store] ", 0) == 0, "%s: '%s'", what,
        error.c_str());
}

void test_bytes() {
  const Folder folder;
  for (const int64_t offset : {0, 1, 4095, 4096, 65535, 65536, 65537, 199999})
    for (const int64_t bytes : {int64_t{1}, kBytes - offset}) {
      const Mapping m(request(folder, offset, bytes));
      int64_t wrong = 0;
      for (int64_t i = 0; i < bytes; ++i) wrong += m.data()[i] != byte_at(offset + i);
      std::vector<char> copy(static_cast<size_t>(bytes));
      m.read(0, bytes, copy.data());
      CHECK(m.bytes() == bytes && wrong == 0, "%ld from %ld", (long)bytes, (long)offset);
      CHECK(std::memcmp(copy.data(), m.data(), copy.size()) == 0, "%ld from %ld", (long)bytes, (long)offset);
      m.check();
    }
  const Mapping m(request(folder, 10, 100));
  char last = 0;
  m.read(99, 1, &last);
  CHECK(last == byte_at(109), "%d", last);
  m.read(100, 0, &last);
}

void test_ranges() {
  const Folder folder;
  const int64_t most = INT64_MAX;
  const std::pair<int64_t, int64_t> wrong[] = {{0, kBytes + 1}, {1, kBytes},  {kBytes, 1},    {kBytes + 1, 1},
                                               {0, 0},          {0, -1},      {-1, 1},        {most, 1},
                                               {1, most},       {most, most}, {INT64_MIN, 1}, {0, INT64_MIN},
                                               {-4096, 4096},   {4096, most}, {most - 10, 20}};
  for (const auto& [offset, bytes] : wrong)
    expect_error("range", "Expected data within the 200000 bytes",
                 [&] { Mapping m(request(folder, offset, bytes)); });
  const Mapping m(request(folder, 10, 100));
  char into[200];
  const std::pair<int64_t, int64_t> beyond[] = {{-1, 1}, {0, 101}, {100, 1}, {most, 1}, {1, most}, {0, -1}};
  for (const auto& [offset, bytes] : beyond)
    expect_error("read", "within the data", [&] { m.read(offset, bytes, into); });
}

void test_other_files() {
  const Folder folder;
  MappingRequest r = request(folder, 0, 1);
  r.path = folder.path("nothing.bin");
  expect_error("no file", "Cannot open", [&] { Mapping m(r); });
  r.path = folder.root();
  CHECK(!error_of([&] { Mapping m(r); }).empty(), "a folder was opened");
  Folder::write(folder.path("empty.bin"), 0);
  r.path = folder.path("empty.bin");
  expect_error("an empty file", "within the 0 bytes", [&] { Mapping m(r); });
}

void test_expected_file() {
  const Folder folder;
  const FileFacts facts = *infcl::store::facts_of(folder.path());
  CHECK(facts.bytes == kBytes, "%ld", (long)facts.bytes);
  MappingRequest r = request(folder, 0, 1);
  r.expected = facts;
  CHECK(error_of([&] { Mapping m(r); }).empty(), "the expected file was refused");
  const auto refuse = [&](const char* part, auto change) {
    r.expected = facts;
    change(*r.expected);
    expect_error(part, part, [&] { Mapping m(r); });
  };
  refuse("was replaced", [](FileFacts& f) { f.index += 1; });
  refuse("was truncated from 200001 to 200000", [](FileFacts& f) { f.bytes += 1; });
  refuse("grew from 199999 to 200000", [](FileFacts& f) { f.bytes -= 1; });
  refuse("was written to", [](FileFacts& f) { f.modified_ns -= 1; });
}

// `change` changes the file; the system may refuse that.
template <class F>
void expect_change_found(const char* part, F change) {
  const Folder folder;
  const Mapping m(request(folder, 100, 1000));
  char into[1000];
  std::error_code refused;
  change(folder, refused);
  if (refused) {
    CHECK(error_of([&] { m.check(); }).empty() && m.data()[0] == byte_at(100), "%s", part);
    return;
  }
  expect_error(part, part, [&] { m.check(); });
  expect_error(part, part, [&] { m.read(0, 1000, into); });
}

void test_changes() {
  expect_change_found("was truncated from 200000 to 50",
                      [](const Folder& f, std::error_code& e) { fs::resize_file(f.path(), 50, e); });
  expect_change_found("grew",
                      [](const Folder& f, std::error_code& e) { fs::resize_file(f.path(), kBytes + 1, e); });
  expect_change_found("was removed or renamed",
                      [](const Folder& f, std::error_code& e) { fs::remove(f.path(), e); });
  expect_change_found("was removed or renamed", [](const Folder& f, std::error_code& e) {
    fs::rename(f.path(), f.path("other.bin"), e);
  });
  expect_change_found("was replaced by another file", [](const Folder& f, std::error_code& e) {
    Folder::write(f.path("new.bin"), kBytes);
    fs::rename(f.path("new.bin"), f.path(), e);
  });
  expect_change_found("was written to", [](const Folder& f, std::error_code& e) {
    fs::last_write_time(f.path(), fs::last_write_time(f.path(), e) + std::chrono::seconds(3), e);
  });
}

void test_writing() {
  const Folder folder;
  MappingRequest r = request(folder, 65, 70000);
  r.writable = true;
  {
    const Mapping m(r);
    for (int64_t i = 0; i < m.bytes(); ++i) m.data()[i] = static_cast<char>(i % 7);
    m.flush();
    m.check();  // its own writes are no change
    char into = 0;
    m.read(69999, 1, &into);
    CHECK(into == 69999 % 7, "%d", into);
  }
  std::ifstream in(folder.path(), std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  CHECK(static_cast<int64_t>(text.size()) == kBytes, "%ld", (long)text.size());
  int64_t wrong = 0;
  for (int64_t i = 0; i < kBytes; ++i)
    wrong += text[i] != (i >= 65 && i < 70065 ? static_cast<char>((i - 65) % 7) : byte_at(i));
  CHECK(wrong == 0, "%ld bytes", (long)wrong);
}

}  // namespace

int main() {
  test_bytes();
  test_ranges();
  test_other_files();
  test_expected_file();
  test_changes();
  test_writing();
  return check::summary();
}
