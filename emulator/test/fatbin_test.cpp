// Fatbins as the emulator reads them: those that fatbinary writes, in each way of packing, and damaged ones.
#include <zstd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "../emulator_api.h"
#include "../fatbin_format.h"
#include "check.h"
#include "test_device.h"

using namespace emulator_test;

namespace {

using infcl::fatbin::Packing;

// Where the fields of a fatbin with one image lie.
constexpr size_t kHeader = 16, kVersion = 4, kBytes = 8;
constexpr size_t kKind = 16, kImageHeader = 16 + 4, kImageBytes = 16 + 8, kPackedBytes = 16 + 16;
constexpr size_t kNameAt = 16 + 32, kFlags = 16 + 40, kUnpackedBytes = 16 + 56, kImage = 16 + 64;
constexpr uint64_t kZstdFlag = 0x8000;

const std::string kPtx =
    ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry empty_kernel() {\nret;\n}\n";

template <class T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(&bytes[at], &value, sizeof value);
}

// A fatbin with this PTX for sm_80, packed by zstd.
std::string packed(const std::string& ptx) {
  std::string body(ZSTD_compressBound(ptx.size()), '\0');
  const size_t packed_bytes = ZSTD_compress(&body[0], body.size(), ptx.data(), ptx.size(), 19);
  body.resize((packed_bytes + 7) / 8 * 8);
  std::string bytes(kImage, '\0');
  std::memcpy(&bytes[0], infcl::fatbin::kMagic, 4);
  put<uint16_t>(bytes, kVersion, 1);
  put<uint16_t>(bytes, kVersion + 2, kHeader);
  put<uint64_t>(bytes, kBytes, kImage - kHeader + body.size());
  put<uint16_t>(bytes, kKind, 1);
  put<uint32_t>(bytes, kImageHeader, 64);
  put<uint64_t>(bytes, kImageBytes, body.size());
  put<uint32_t>(bytes, kPackedBytes, static_cast<uint32_t>(packed_bytes));
  put<uint32_t>(bytes, 16 + 28, 80);
  put<uint64_t>(bytes, kFlags, kZstdFlag);
  put<uint64_t>(bytes, kUnpackedBytes, ptx.size());
  return bytes + body;
}

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(EMULATOR_PTX_DIR) + "/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("no file " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

infcl::fatbin::Contents contents_of(const std::string& bytes) {
  return infcl::fatbin::read(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string error_of(const std::string& bytes) {
  try {
    contents_of(bytes);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "no error";
}

// What the driver says of an image: its code, and its message where it refuses.
std::string loaded(const std::string& bytes) {
  CUmodule module;
  const CUresult result = cuModuleLoadData(&module, bytes.data());
  if (result == CUDA_SUCCESS) return cuModuleUnload(module) == CUDA_SUCCESS ? "loaded" : "not unloaded";
  const char* name = nullptr;
  cuGetErrorName(result, &name);
  return std::string(name ? name : "?") + ": " + infcl_emulator_last_error();
}

void expect(const std::string& found, const std::string& wanted) {
  CHECK(contains(found, wanted), "'%s' expected in '%s'", wanted.c_str(), found.c_str());
}

// `field` of a good fatbin is overwritten with `value`.
template <class T>
std::string damaged(size_t field, T value) {
  std::string bytes = packed(kPtx);
  put(bytes, field, value);
  return bytes;
}

void check_good() {
  Device device;
  const std::string bytes = packed(kPtx);
  expect(loaded(bytes), "loaded");
  const auto contents = contents_of(bytes + "what follows a fatbin does not count");
  CHECK(contents.bytes == bytes.size() && contents.images.size() == 1, "%zu", contents.bytes);
  CHECK(contents.images[0].ptx && contents.images[0].target == "80" && contents.images[0].name.empty(), "%s",
        contents.images[0].target.c_str());
  CHECK(contents.images[0].packing == Packing::kZstd && contents.images[0].unpacked_bytes == kPtx.size(),
        "%zu", contents.images[0].unpacked_bytes);
}

void check_cut_off() {
  const std::string bytes = packed(kPtx);
  for (size_t length = 0; length < bytes.size(); ++length)
    CHECK(error_of(bytes.substr(0, length)) != "no error", "%zu of %zu bytes", length, bytes.size());
  expect(error_of(bytes.substr(0, 15)), "ends within its header");
  expect(error_of(bytes.substr(0, bytes.size() - 1)), "bytes follow its header, but");
  // Cut off, with a header that knows it.
  std::string shorter = bytes.substr(0, bytes.size() - 8);
  put<uint64_t>(shorter, kBytes, shorter.size() - kHeader);
  expect(error_of(shorter), "ends within the image for 80");
  shorter.resize(kImage - 8);
  put<uint64_t>(shorter, kBytes, shorter.size() - kHeader);
  expect(error_of(shorter), "ends within the header of an image");
  shorter.resize(kHeader);
  put<uint64_t>(shorter, kBytes, 0);
  expect(error_of(shorter), "has no image");
}

void check_damaged_headers() {
  expect(error_of(damaged<uint8_t>(0, 0x51)), "do not begin as a fatbin does");
  expect(error_of(damaged<uint16_t>(kVersion, 2)), "version 2 with a header of 16 bytes is unknown");
  expect(error_of(damaged<uint16_t>(kVersion + 2, 24)), "version 1 with a header of 24 bytes is unknown");
  expect(error_of(damaged<uint64_t>(kBytes, ~uint64_t{0})), "bytes follow its header, but");
  expect(error_of(damaged<uint16_t>(kKind, 7)), "kind 7 is neither PTX nor machine code");
  expect(error_of(damaged<uint32_t>(kImageHeader, 56)), "ends within the image");
  expect(error_of(damaged<uint32_t>(kImageHeader, ~0u)), "ends within the image");
  expect(error_of(damaged<uint64_t>(kImageBytes, ~uint64_t{0})), "ends within the image");
  expect(error_of(damaged<uint32_t>(kPackedBytes, ~0u)), "larger than its place");
  expect(error_of(damaged<uint32_t>(kNameAt, 65)), "name of the image for 80 lies outside");
  expect(error_of(damaged<uint32_t>(kNameAt + 4, 65)), "name of the image for 80 lies outside");
  expect(error_of(damaged<uint64_t>(kFlags, 0)), "packed in an unknown way");
}

void check_driver_refuses() {
  Device device;
  const std::string refused = "CUDA_ERROR_INVALID_IMAGE: ";
  expect(loaded(damaged<uint16_t>(kKind, 7)), refused + "an image of kind 7");
  expect(loaded(damaged<uint64_t>(kFlags, 0)), refused + "the image for 80 is packed in an unknown way");
  expect(loaded(damaged<uint64_t>(kFlags, 0x2000)), refused + "the PTX for 80 is packed by LZ4");
  expect(loaded(damaged<uint32_t>(kImage, 0)), refused + "the PTX for 80 does not unpack by zstd: ");
  expect(loaded(damaged<uint64_t>(kUnpackedBytes, kPtx.size() - 1)), "does not unpack by zstd: Destination");
  expect(loaded(damaged<uint64_t>(kUnpackedBytes, kPtx.size() + 1)), "but its header says");
  expect(loaded(damaged<uint64_t>(kUnpackedBytes, uint64_t{1} << 40)), "more than 1 GiB");
  expect(loaded("\xb1\x43\x62\x46"), refused + "the image is neither PTX nor machine code nor a fatbin");
  expect(loaded(packed(".version 8.0\nnonsense")), "CUDA_ERROR_INVALID_PTX: ");
}

// The toolkit's own fatbins of one text, and one of two texts (emulator/CMakeLists.txt).
void check_written_by_fatbinary() {
  const std::string none = read_file("program_none.fatbin"), zstd = read_file("program_size.fatbin"),
                    lz4 = read_file("program_speed.fatbin"), both = read_file("both.fatbin");
  CHECK(contents_of(none).images[0].packing == Packing::kNone, "none");
  CHECK(contents_of(zstd).images[0].packing == Packing::kZstd, "size");
  CHECK(contents_of(lz4).images[0].packing == Packing::kLz4, "speed");
  for (const std::string* bytes : {&none, &zstd, &lz4, &both})
    CHECK(contents_of(*bytes).bytes == bytes->size(), "%zu of %zu bytes", contents_of(*bytes).bytes,
          bytes->size());
  const auto images = contents_of(both).images;
  CHECK(images.size() == 2 && images[0].name == "both.cu", "%zu images", images.size());
  CHECK(images[0].target + images[1].target == "8090a", "%s %s", images[0].target.c_str(),
        images[1].target.c_str());
  Device device;
  expect(loaded(none), "loaded");
  expect(loaded(zstd), "loaded");
  expect(loaded(lz4), "CUDA_ERROR_INVALID_IMAGE: the PTX for 80 is packed by LZ4");
}

bool has_kernel(const std::string& fatbin, const char* kernel) {
  CUmodule module;
  CUfunction function;
  if (cuModuleLoadData(&module, fatbin.data()) != CUDA_SUCCESS) return false;
  const bool found = cuModuleGetFunction(&function, module, kernel) == CUDA_SUCCESS;
  cuModuleUnload(module);
  return found;
}

// Of two texts the driver takes the one for the later target, where that runs.
void check_choice() {
  const std::string both = read_file("both.fatbin");
  {
    Device device;
    CHECK(has_kernel(both, "compute_kernel") && !has_kernel(both, "box_kernel"), "on sm_80");
  }
  Setting sm("INFCL_EMULATOR_SM", "90");
  Device device;
  CHECK(!has_kernel(both, "compute_kernel") && has_kernel(both, "box_kernel"), "on sm_90");
  Setting older("INFCL_EMULATOR_SM", "75");
  expect(loaded(both),
         "CUDA_ERROR_NO_BINARY_FOR_GPU: the emulator runs PTX, and the image has none for sm_75");
}

}  // namespace

int main() {
  check_good();
  check_cut_off();
  check_damaged_headers();
  check_driver_refuses();
  if (EMULATOR_HAS_FATBINS) {
    check_written_by_fatbinary();
    check_choice();
  }
  return check::summary();
}
