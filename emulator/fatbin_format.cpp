#include "fatbin_format.h"

#include <cstring>
#include <stdexcept>

namespace infcl::fatbin {

namespace {

struct Header {
  unsigned char magic[4];
  uint16_t version, header_bytes;
  uint64_t bytes;  // that follow the header
};
static_assert(sizeof(Header) == 16);

// The beginning of an image's header. Names and options follow, then the image.
struct ImageHeader {
  uint16_t kind, version;
  uint32_t header_bytes;  // with all that lies before the image
  uint64_t bytes;         // of the image, filled up to a multiple of 8
  uint32_t packed_bytes;  // 0 unless the image is packed
  uint32_t options_at;
  uint16_t minor, major;  // of the image's own form
  uint32_t architecture;
  uint32_t name_at, name_bytes;  // from the beginning of this header
  uint64_t flags;
  uint64_t unknown;
  uint64_t unpacked_bytes;  // 0 unless the image is packed
};
static_assert(sizeof(ImageHeader) == 64);

constexpr uint16_t kVersion = 1, kPtx = 1, kElf = 2;
constexpr uint64_t kLz4 = 0x2000, kZstd = 0x8000, kThisTargetOnly = 0x100000, kFamilyOnly = 0x200000;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

std::string target_of(const ImageHeader& h) {
  const char* suffix = h.flags & kThisTargetOnly ? "a" : h.flags & kFamilyOnly ? "f" : "";
  return std::to_string(h.architecture) + suffix;
}

Packing packing_of(const ImageHeader& h) {
  if (h.packed_bytes == 0) return Packing::kNone;
  if (h.flags & kZstd) return Packing::kZstd;
  if (h.flags & kLz4) return Packing::kLz4;
  fail("the image for " + target_of(h) + " is packed in an unknown way: neither LZ4 nor zstd");
}

// The image whose header begins at `at`. `end` is the end of the fatbin.
Image read_image(const unsigned char* data, size_t at, size_t end, size_t& next) {
  ImageHeader h;
  if (end - at < sizeof h) fail("the fatbin ends within the header of an image");
  std::memcpy(&h, data + at, sizeof h);
  if (h.kind != kPtx && h.kind != kElf)
    fail("an image of kind " + std::to_string(h.kind) + " is neither PTX nor machine code");
  if (h.header_bytes < sizeof h || h.header_bytes > end - at || h.bytes > end - at - h.header_bytes)
    fail("the fatbin ends within the image for " + target_of(h));
  Image image;
  image.ptx = h.kind == kPtx;
  image.target = target_of(h);
  image.packing = packing_of(h);
  image.data = data + at + h.header_bytes;
  image.bytes = h.packed_bytes ? h.packed_bytes : h.bytes;
  image.unpacked_bytes = h.packed_bytes ? h.unpacked_bytes : h.bytes;
  if (image.bytes > h.bytes) fail("the packed image for " + image.target + " is larger than its place");
  if (h.name_at > h.header_bytes || h.name_bytes > h.header_bytes - h.name_at)
    fail("the name of the image for " + image.target + " lies outside the image's header");
  image.name.assign(reinterpret_cast<const char*>(data + at + h.name_at), h.name_bytes);
  next = at + h.header_bytes + h.bytes;
  return image;
}

}  // namespace

Contents read(const unsigned char* data, size_t available) {
  Header h;
  if (available < sizeof h) fail("the fatbin ends within its header");
  std::memcpy(&h, data, sizeof h);
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0)
    fail("the bytes do not begin as a fatbin does, with 50 ed 55 ba");
  if (h.version != kVersion || h.header_bytes != sizeof h)
    fail("a fatbin of version " + std::to_string(h.version) + " with a header of " +
         std::to_string(h.header_bytes) + " bytes is unknown: version 1 and 16 bytes are known");
  if (h.bytes > available - sizeof h)
    fail("the fatbin says that " + std::to_string(h.bytes) + " bytes follow its header, but " +
         std::to_string(available - sizeof h) + " are there");
  Contents contents;
  contents.bytes = sizeof h + h.bytes;
  for (size_t at = sizeof h; at < contents.bytes;)
    contents.images.push_back(read_image(data, at, contents.bytes, at));
  if (contents.images.empty()) fail("the fatbin has no image");
  return contents;
}

}  // namespace infcl::fatbin
