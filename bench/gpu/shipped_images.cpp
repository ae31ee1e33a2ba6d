#include "shipped_images.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "command_line.h"
#include "emulator/fatbin_format.h"

namespace infcl::bench {

namespace {

using Bytes = std::vector<unsigned char>;

Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    throw UsageError("--images: cannot read '" + path + "': " + std::strerror(errno));
  return bytes;
}

// The magic number alone stands in programs that look for fatbins, too. So the version has to follow, and
// the length of the header: 1 and 16.
bool begins_fatbin(const Bytes& bytes, size_t at) {
  constexpr unsigned char kRest[4] = {1, 0, 16, 0};
  return bytes.size() - at >= 8 && std::equal(kRest, kRest + 4, bytes.begin() + at + 4);
}

// One entry for each image of the fatbin at `at`; the fatbin's bytes are in all of them.
size_t read_fatbin(const Bytes& bytes, size_t at, std::vector<ShippedImage>& found) {
  const fatbin::Contents contents = fatbin::read(bytes.data() + at, bytes.size() - at);
  for (const fatbin::Image& image : contents.images) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    found.push_back({at, Bytes(begin, begin + static_cast<std::ptrdiff_t>(contents.bytes)), image.name,
                     image.target, image.ptx, ""});
  }
  return contents.bytes;
}

}  // namespace

std::vector<ShippedImage> find_images(const std::string& path) {
  const Bytes bytes = read_file(path);
  std::vector<ShippedImage> found;
  for (size_t at = 0; at < bytes.size();) {
    const auto magic = std::search(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(),
                                   std::begin(fatbin::kMagic), std::end(fatbin::kMagic));
    at = static_cast<size_t>(magic - bytes.begin());
    if (at == bytes.size()) break;
    size_t length = sizeof fatbin::kMagic;
    if (begins_fatbin(bytes, at)) try {
        length = read_fatbin(bytes, at, found);
      } catch (const std::runtime_error& e) {
        found.push_back({at, {}, "", "", false, e.what()});
      }
    at += length;
  }
  if (found.empty())
    throw UsageError(
        "--images: '" + path +
        "' has no CUDA image: it was built without the CUDA backend, or is another kind of file");
  return found;
}

}  // namespace infcl::bench
