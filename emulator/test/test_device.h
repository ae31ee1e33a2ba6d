// What the emulator's tests need of a device: a context, a module, buffers, launches, and faults as values.
#pragma once

#include <cuda.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace emulator_test {

// The text of a PTX file that was built beside the tests.
std::string read_ptx(const std::string& name);

// Sets an environment variable of the emulator for the life of the object.
class Setting {
 public:
  Setting(const char* name, const std::string& value);
  ~Setting();
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  std::string name_, before_;
  bool was_set_;
};

// A fresh driver with a current context. Throws std::runtime_error where the driver refuses.
class Device {
 public:
  Device();
  ~Device();

  CUdeviceptr upload(const void* data, size_t bytes);
  template <class T>
  CUdeviceptr upload(const std::vector<T>& v) {
    return upload(v.data(), v.size() * sizeof(T));
  }
  template <class T>
  CUdeviceptr buffer(size_t count) {
    return allocate(count * sizeof(T));
  }
  template <class T>
  std::vector<T> download(CUdeviceptr from, size_t count) {
    std::vector<T> out(count);
    download(out.data(), from, count * sizeof(T));
    return out;
  }

  void load(const std::string& ptx);
  // Runs a kernel whose mangled name contains `name`; "" or the emulator's message.
  struct Shape {
    unsigned grid, block, shared = 0;
  };
  std::string launch(const std::string& name, Shape shape, std::initializer_list<const void*> arguments);

 private:
  CUdeviceptr allocate(size_t bytes);
  void download(void* to, CUdeviceptr from, size_t bytes);
  CUcontext context_ = nullptr;
  CUmodule module_ = nullptr;
  std::string ptx_;
};

bool contains(const std::string& text, const std::string& part);
// A number of the latest launch's statistics.
double last_statistic(const std::string& name);

}  // namespace emulator_test
