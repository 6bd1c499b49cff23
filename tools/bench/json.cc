// SPDX-License-Identifier: Apache-2.0

#include "json.h"

#include <cmath>
#include <cstdio>
#include <utility>

namespace scree::bench {

void JsonWriter::name(std::string_view name) {
  before_item();
  quote(name);
  text_ += ": ";
  after_name_ = true;
}

void JsonWriter::value(std::string_view text) {
  before_item();
  quote(text);
}

void JsonWriter::value(std::uint64_t number) {
  before_item();
  text_ += std::to_string(number);
}

void JsonWriter::value(double number) {
  before_item();
  if (!std::isfinite(number)) {
    text_ += "null";
    return;
  }
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", number);
  text_ += buffer;
}

std::string JsonWriter::take() {
  text_ += '\n';
  first_ = true;
  return std::exchange(text_, {});
}

void JsonWriter::open(char bracket) {
  before_item();
  text_ += bracket;
  ++depth_;
  first_ = true;
}

void JsonWriter::close(char bracket) {
  --depth_;
  if (!first_) new_line();
  text_ += bracket;
  first_ = false;
}

void JsonWriter::before_item() {
  if (std::exchange(after_name_, false) || depth_ == 0) return;
  if (!std::exchange(first_, false)) text_ += ',';
  new_line();
}

void JsonWriter::new_line() {
  text_ += '\n';
  text_.append(2 * depth_, ' ');
}

void JsonWriter::quote(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
      text_ += buffer;
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace scree::bench
