// SPDX-License-Identifier: Apache-2.0
//
// A strict reader of the JSON that the tools write: objects, arrays, strings, numbers, null. Throws on anything else.

#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scree::bench {

struct Json {
  enum class Kind { kNull, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  double number = 0;
  std::string string;
  std::vector<Json> array;
  std::map<std::string, Json> object;

  bool has(const std::string& name) const { return object.contains(name); }
  const Json& operator[](const std::string& name) const { return object.at(name); }
};

class JsonReader {
 public:
  static Json read(std::string_view text) {
    JsonReader reader(text);
    Json document = reader.value();
    reader.skip_space();
    if (!reader.rest_.empty()) throw std::runtime_error("text behind the document");
    return document;
  }

 private:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t\r"), rest_.size())); }

  char peek() {
    skip_space();
    if (rest_.empty()) throw std::runtime_error("the document is cut");
    return rest_.front();
  }

  void expect(char c) {
    if (peek() != c)
      throw std::runtime_error(std::string("expected ") + c + " before " + std::string(rest_.substr(0, 20)));
    rest_.remove_prefix(1);
  }

  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Json value() {
    Json json;
    if (const char c = peek(); c == '{') {
      json.kind = Json::Kind::kObject;
      expect('{');
      if (take('}')) return json;
      do {
        const std::string name = string();
        expect(':');
        if (!json.object.emplace(name, value()).second) throw std::runtime_error("a name twice: " + name);
      } while (take(','));
      expect('}');
    } else if (c == '[') {
      json.kind = Json::Kind::kArray;
      expect('[');
      if (take(']')) return json;
      do {
        json.array.push_back(value());
      } while (take(','));
      expect(']');
    } else if (c == '"') {
      json.kind = Json::Kind::kString;
      json.string = string();
    } else if (rest_.starts_with("null")) {
      rest_.remove_prefix(4);
    } else {
      json.kind = Json::Kind::kNumber;
      json.number = take_number();
    }
    return json;
  }

  double take_number() {
    const std::string digits(rest_.substr(0, rest_.find_first_not_of("+-.0123456789eE")));
    char* end = nullptr;
    const double number = std::strtod(digits.c_str(), &end);
    if (digits.empty() || *end != '\0') throw std::runtime_error("not a number: " + digits);
    rest_.remove_prefix(digits.size());
    return number;
  }

  std::string string() {
    expect('"');
    std::string text;
    for (;;) {
      if (rest_.empty()) throw std::runtime_error("a string is cut");
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (static_cast<unsigned char>(c) < 0x20) throw std::runtime_error("a control character in a string");
      if (c != '\\') {
        text += c;
        continue;
      }
      if (rest_.starts_with('"') || rest_.starts_with('\\')) {
        text += rest_.front();
        rest_.remove_prefix(1);
      } else if (rest_.starts_with("u00") && rest_.size() >= 5) {
        text += static_cast<char>(std::strtol(std::string(rest_.substr(1, 4)).c_str(), nullptr, 16));
        rest_.remove_prefix(5);
      } else {
        throw std::runtime_error("an unknown escape");
      }
    }
  }

  std::string_view rest_;
};

}  // namespace scree::bench
