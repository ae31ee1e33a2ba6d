// Libraries that may or may not be on this machine, found while the program runs.
#pragma once

#include <initializer_list>
#include <string>

namespace infcl::bench {

class Library {
 public:
  // The first of `names` that loads; none, if none does.
  explicit Library(std::initializer_list<std::string> names);
  // The CUDA driver that the backend uses.
  static Library cuda_driver();

  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& name() const { return name_; }
  bool has(const char* symbol) const { return address(symbol) != nullptr; }
  // Call only what `has` found.
  template <class... A>
  int call(const char* symbol, A... arguments) const {
    return reinterpret_cast<int (*)(A...)>(address(symbol))(arguments...);
  }

 private:
  void* address(const char* symbol) const;

  std::string name_;
  void* handle_ = nullptr;  // stays loaded: these libraries have threads and exit handlers of their own
};

}  // namespace infcl::bench
