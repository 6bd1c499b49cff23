// SPDX-License-Identifier: Apache-2.0
//
// Writes one JSON document into a string, two spaces a level.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scree::bench {

class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  // The name of the value that follows; inside an object only.
  void name(std::string_view name);

  void value(std::string_view text);
  void value(std::uint64_t number);
  void value(double number);  // an infinity or NaN, which JSON cannot say, becomes null

  template <typename Value>
  void member(std::string_view member_name, const Value& member_value) {
    name(member_name);
    value(member_value);
  }

  // The document, with a line end, once all that was begun has ended.
  std::string take();

 private:
  void open(char bracket);
  void close(char bracket);
  void before_item();
  void new_line();
  void quote(std::string_view text);

  std::string text_;
  unsigned depth_ = 0;
  bool first_ = true;  // nothing stands in the innermost bracket yet
  bool after_name_ = false;
};

}  // namespace scree::bench
