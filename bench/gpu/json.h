// As much of a JSON writer as a report needs: objects and arrays in order, numbers, strings.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace infcl::bench {

inline std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

class JsonObject {
 public:
  JsonObject& raw(const char* key, const std::string& json) {
    text_ += (text_.empty() ? "" : ", ") + json_string(key) + ": " + json;
    return *this;
  }
  JsonObject& add(const char* key, const std::string& value) { return raw(key, json_string(value)); }
  JsonObject& add(const char* key, const char* value) { return add(key, std::string(value)); }
  JsonObject& add(const char* key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", value);
    return raw(key, std::isfinite(value) ? digits : "null");
  }
  JsonObject& add(const char* key, int64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& add(const char* key, int value) { return add(key, int64_t{value}); }
  JsonObject& add(const char* key, unsigned value) { return add(key, int64_t{value}); }
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

class JsonArray {
 public:
  void add(const std::string& json) { text_ += (text_.empty() ? "\n    " : ",\n    ") + json; }
  std::string text() const { return text_.empty() ? "[]" : "[" + text_ + "\n  ]"; }

 private:
  std::string text_;
};

}  // namespace infcl::bench
