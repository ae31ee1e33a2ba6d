#include "fatbin_ptx.h"

#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "fatbin_format.h"

namespace infcl::emulator {

namespace {

constexpr size_t kMostBytes = size_t{1} << 30;  // a damaged size must not take the machine's memory

std::string unpack_zstd(const fatbin::Image& image) {
  if (image.unpacked_bytes > kMostBytes)
    throw std::runtime_error("the PTX for " + image.target + " says that it unpacks to more than 1 GiB");
  std::string text(image.unpacked_bytes, '\0');
  const size_t written = ZSTD_decompress(&text[0], text.size(), image.data, image.bytes);
  if (ZSTD_isError(written))
    throw std::runtime_error("the PTX for " + image.target +
                             " does not unpack by zstd: " + ZSTD_getErrorName(written));
  if (written != text.size())
    throw std::runtime_error("the PTX for " + image.target + " unpacks to " + std::to_string(written) +
                             " bytes, but its header says " + std::to_string(text.size()));
  return text;
}

std::string text_of(const fatbin::Image& image) {
  if (image.packing == fatbin::Packing::kLz4)
    throw std::runtime_error("the PTX for " + image.target +
                             " is packed by LZ4, which the emulator does not read: pack it with fatbinary "
                             "--compress-mode=size, or not at all");
  std::string text = image.packing == fatbin::Packing::kZstd
                         ? unpack_zstd(image)
                         : std::string(reinterpret_cast<const char*>(image.data), image.bytes);
  text.resize(std::strlen(text.c_str()));  // zeros may follow
  return text;
}

}  // namespace

std::string ptx_of_fatbin(const void* data, const std::function<bool(const std::string&)>& runs_here) {
  // A caller of cuModuleLoadData gives no size: the size is the fatbin's own to say.
  const fatbin::Contents contents = fatbin::read(static_cast<const unsigned char*>(data), SIZE_MAX);
  const fatbin::Image* best = nullptr;
  for (const fatbin::Image& image : contents.images)
    if (image.ptx && runs_here("sm_" + image.target) &&
        (!best || std::stoi(image.target) > std::stoi(best->target)))
      best = &image;
  return best ? text_of(*best) : "";
}

}  // namespace infcl::emulator
