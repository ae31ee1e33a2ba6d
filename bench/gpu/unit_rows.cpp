#include "unit_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

namespace infcl::bench {

namespace {

constexpr float kNoise = 0.65f;  // beside what rows of equal index share: cosine 1 / (1 + 0.65^2)

uint32_t bits_of(float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof v);
  return word;
}

class Random {  // splitmix64
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  // Nearly normal: a sum of four uniform numbers.
  float normal() {
    const uint64_t word = next();
    int64_t sum = 0;
    for (int lane = 0; lane < 4; ++lane) sum += static_cast<int64_t>(word >> 16 * lane & 0xffff);
    return (static_cast<float>(sum) - 2 * 65535.f) / 37837.f;
  }

 private:
  uint64_t state_;
};

Random row_generator(uint64_t seed, int64_t row) {
  return Random(Random(seed << 32 ^ static_cast<uint64_t>(row)).next());
}

void store(float v, DType dtype, char* out) {
  if (dtype == DType::kFloat32) {
    std::memcpy(out, &v, sizeof v);
    return;
  }
  const uint16_t bits = dtype == DType::kBFloat16 ? to_bfloat16(v) : to_float16(v);
  std::memcpy(out, &bits, sizeof bits);
}

}  // namespace

const char* dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kFloat32:
      break;
  }
  return "float32";
}

uint16_t to_bfloat16(float v) {
  const uint32_t word = bits_of(v);
  return static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
}

float from_bfloat16(uint16_t bits) {
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  float v;
  std::memcpy(&v, &word, sizeof v);
  return v;
}

uint16_t to_float16(float v) {
  const uint32_t word = bits_of(v), sign = word >> 16 & 0x8000, size = word & 0x7fffffff;
  if (size < 113u << 23)  // subnormal there: a multiple of 2^-24
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::nearbyint(std::ldexp(std::fabs(v), 24))));
  const uint32_t rebased = size - (112u << 23);
  return static_cast<uint16_t>(sign | (rebased + 0xfff + (rebased >> 13 & 1)) >> 13);
}

Features::Features(int64_t rows, int64_t dim, DType dtype, uint64_t seed)
    : rows_(rows), dim_(dim), dtype_(dtype), data_(new char[static_cast<size_t>(bytes())]) {
  const int64_t threads = std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, rows);
  std::vector<std::thread> pool;
  for (int64_t t = 0; t < threads; ++t)
    pool.emplace_back([=] { fill(rows * t / threads, rows * (t + 1) / threads, seed); });
  for (std::thread& thread : pool) thread.join();
}

void Features::fill(int64_t begin, int64_t end, uint64_t seed) {
  const size_t dim = static_cast<size_t>(dim_);
  std::vector<float> row(dim);
  for (int64_t i = begin; i < end; ++i) {
    Random shared = row_generator(0, i), own = row_generator(seed + 1, i);
    double norm = 0;
    for (float& v : row) {
      v = shared.normal() + kNoise * own.normal();
      norm += static_cast<double>(v) * v;
    }
    const float scale = static_cast<float>(1 / std::sqrt(norm));
    char* out = data_.get() + static_cast<size_t>(i) * dim * dtype_size(dtype_);
    for (size_t d = 0; d < dim; ++d) store(scale * row[d], dtype_, out + d * dtype_size(dtype_));
  }
}

}  // namespace infcl::bench
