// The form of fatbins: files of the CUDA toolkit with one or more images of a program, which may be packed.
// gpu-check reads the form as well, so nothing here needs the emulator or a decompressor. The README of this
// folder has the layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace infcl::fatbin {

constexpr unsigned char kMagic[4] = {0x50, 0xed, 0x55, 0xba};

enum class Packing { kNone, kLz4, kZstd };

struct Image {
  bool ptx = false;    // else machine code
  std::string target;  // "80", "90a"
  std::string name;    // what fatbinary was told by --ident; may be empty
  Packing packing = Packing::kNone;
  const unsigned char* data = nullptr;
  size_t bytes = 0;           // of data, as they are stored
  size_t unpacked_bytes = 0;  // PTX may end with a zero, and unpacked images with a few more
};

struct Contents {
  size_t bytes = 0;  // of the whole fatbin
  std::vector<Image> images;
};

// Reads the fatbin that begins at `data`, which has `available` bytes at most. Throws std::runtime_error with
// a sentence where the bytes are no fatbin, or are cut off. The images point into `data`.
Contents read(const unsigned char* data, size_t available);

}  // namespace infcl::fatbin
