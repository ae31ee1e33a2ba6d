// What the CUDA emulator says beyond the driver API, for tests of what is done when. Found by dlsym, as the
// driver itself; where there is no emulator, is_there() is false and the rest must not be asked.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace emulator {

template <class F>
F* find(const char* name) {
  const char* path = std::getenv("INFCL_CUDA_LIBRARY");
  void* const library = path ? dlopen(path, RTLD_NOW) : nullptr;
  return library ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
}

inline bool is_there() { return find<void()>("infcl_emulator_reset_stats"); }

// Empties the logs; the peak begins with what is allocated now.
inline void reset() { find<void()>("infcl_emulator_reset_stats")(); }
inline size_t peak_bytes() { return find<size_t()>("infcl_emulator_peak_bytes")(); }

// "record", "wait for" and "await" an event; "launch" a kernel; "copy in", "copy out", "copy within" and
// "clear" a number of bytes; "await" all. `subject` is what, `stream` where.
struct Line {
  std::string what, subject, stream;
};

inline std::vector<Line> parse(const std::string& text) {
  std::vector<Line> lines;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    const size_t on = line.rfind(" on "), subject = line.rfind(' ', on - 1);
    lines.push_back(
        {line.substr(0, subject), line.substr(subject + 1, on - subject - 1), line.substr(on + 4)});
  }
  return lines;
}

// Lines about events alone, and about everything.
inline std::vector<Line> events() { return parse(find<const char*()>("infcl_emulator_event_log")()); }
inline std::vector<Line> work() { return parse(find<const char*()>("infcl_emulator_work_log")()); }

}  // namespace emulator
