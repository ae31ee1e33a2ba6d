// Mappings with random ranges, many of them hostile, of files that random changes befall. What must hold: a
// range within the file is mapped with the right bytes, any other one is an ERR_STORE; and after a change
// every check and every read is an ERR_STORE.
//
//   mapping_fuzz [cases] [first seed]    seeded cases, one process (ctest and the sanitizer builds)
//   with -DINFCL_LIBFUZZER=ON (clang)    libFuzzer's options
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/errors.h"
#include "fuzz_bytes.h"
#include "fuzz_case.h"
#include "fuzz_main.h"
#include "store/mapping.h"

namespace fs = std::filesystem;
using infcl::store::Mapping;
using infcl::store::MappingRequest;

namespace {

int64_t mapped = 0, refused = 0, changed = 0;

// A folder for the whole process.
class Folder {
 public:
  Folder() {
    root_ = fs::temp_directory_path() / ("infcl-fuzz-" + std::to_string(std::random_device()()));
    fs::create_directories(root_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  std::string path(const char* name) const { return (root_ / name).string(); }

 private:
  fs::path root_;
};

Folder& folder() {
  static Folder one;
  return one;
}

void write_file(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A number near the ends of what is possible, or anything.
int64_t hostile(fuzz::Bytes& in, int64_t bytes) {
  const int64_t near = in.between(-2, 2);
  const int64_t places[] = {0,
                            bytes,
                            bytes / 2,
                            4096,
                            INT64_MAX - 2,
                            INT64_MIN + 2,
                            INT64_MAX / 2,
                            int64_t{1} << 32,
                            in.below(bytes + 1)};
  if (in.rarely(9)) return static_cast<int64_t>(in.word());
  return places[in.below(9)] + near;
}

template <class F>
bool refuses(F f) {
  try {
    f();
    return false;
  } catch (const infcl::Error& e) {
    EXPECT(e.code() == infcl::ErrorCode::kStore, "%s", e.what());
    return true;
  }
}

// Changes the file in one of several ways. False where the system refuses the change.
bool change_file(fuzz::Bytes& in, const std::string& path, const std::vector<char>& content) {
  const int64_t size = static_cast<int64_t>(content.size());
  std::error_code error;
  switch (in.below(5)) {
    case 0:
      fs::resize_file(path, static_cast<uintmax_t>(in.below(size)), error);
      break;
    case 1:
      fs::resize_file(path, static_cast<uintmax_t>(size + 1 + in.below(9000)), error);
      break;
    case 2:
      fs::remove(path, error);
      break;
    case 3:
      write_file(folder().path("other.bin"), content);
      fs::rename(folder().path("other.bin"), path, error);
      break;
    default:
      fs::last_write_time(path, fs::last_write_time(path, error) + std::chrono::seconds(5), error);
  }
  return !error;
}

void expect_bytes(const Mapping& m, const std::vector<char>& content, int64_t offset, fuzz::Bytes& in) {
  EXPECT(std::memcmp(m.data(), content.data() + offset, static_cast<size_t>(m.bytes())) == 0, "bytes");
  const int64_t from = hostile(in, m.bytes()), count = hostile(in, m.bytes());
  const bool fits = from >= 0 && count >= 0 && from <= m.bytes() && count <= m.bytes() - from;
  // exactly as long as it may be, so that the sanitizer sees one byte more
  const size_t room = fits ? static_cast<size_t>(count) : 1;
  const std::unique_ptr<char[]> into(new char[room]);
  EXPECT(refuses([&] { m.read(from, count, into.get()); }) == !fits, "read");
  if (fits) EXPECT(std::memcmp(into.get(), m.data() + from, room) == 0, "read bytes");
}

void one_case(const uint8_t* data, size_t size) {
  fuzz::Bytes in(data, size);
  std::vector<char> content(static_cast<size_t>(1 + in.below(20000)));
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 255);
  const int64_t bytes = static_cast<int64_t>(content.size());
  MappingRequest r;
  r.path = folder().path("file.bin");
  std::error_code ignored;
  fs::remove(r.path, ignored);
  write_file(r.path, content);
  const bool plausible = in.flag();
  r.offset = plausible ? in.below(bytes) : hostile(in, bytes);
  r.bytes = plausible ? in.between(1, bytes - r.offset) : hostile(in, bytes);
  r.writable = in.rarely(4);
  if (in.flag()) r.expected = infcl::store::facts_of(r.path);
  const bool fits = r.offset >= 0 && r.bytes > 0 && r.offset <= bytes && r.bytes <= bytes - r.offset;
  std::unique_ptr<Mapping> mapping;
  EXPECT(refuses([&] { mapping = std::make_unique<Mapping>(r); }) == !fits, "%lld bytes from %lld of %lld",
         (long long)r.bytes, (long long)r.offset, (long long)bytes);
  ++(fits ? mapped : refused);
  if (!fits) return;
  expect_bytes(*mapping, content, r.offset, in);
  if (r.writable || !change_file(in, r.path, content)) return;
  ++changed;
  char one;
  EXPECT(refuses([&] { mapping->check(); }), "a change was not seen");
  EXPECT(refuses([&] { mapping->read(0, 1, &one); }), "a changed file was read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  one_case(data, size);
  return 0;
}

#if !defined(INFCL_LIBFUZZER)
int main(int argc, char** argv) {
  const uint64_t cases = fuzz::run_seeded_cases(argc, argv, one_case);
  std::printf("%llu cases: %lld mapped (%lld changed), %lld refused\n",
              static_cast<unsigned long long>(cases), (long long)mapped, (long long)changed,
              (long long)refused);
  return cases > 0 && mapped == 0;
}
#endif
