// SPDX-License-Identifier: Apache-2.0
//
// The kinds of keys and values that the index tests run with. key(i) and value(i) are injective, and the keys of each
// kind ascend with i.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace scree::test {

struct Integers {
  using Key = std::uint64_t;
  using Value = std::int64_t;
  static Key key(std::uint64_t i) { return i; }
  static Value value(std::uint64_t i) { return static_cast<std::int64_t>(i); }
};

struct IntegersToStrings {
  using Key = std::uint64_t;
  using Value = std::string;
  static Key key(std::uint64_t i) { return i << 40; }
  static Value value(std::uint64_t i) {
    return "a value too long to lie within the string object " + std::to_string(i);
  }
};

// With zero bytes, bytes above 127, keys that are prefixes of others and prefixes longer than the 8 bytes that a slot
// can hold.
struct Strings {
  using Key = std::string;
  using Value = std::string;
  static Key key(std::uint64_t i) {
    static constexpr std::array<const char*, 3> kPrefixes = {"", "common prefix/", "common prefix/and longer/"};
    constexpr std::uint64_t kPerPrefix = 10;
    if (i >= kPrefixes.size() * kPerPrefix) return "\xff/common prefix/" + std::to_string(1'000'000 + i);
    std::string key = kPrefixes[i / kPerPrefix];
    const std::uint64_t n = i % kPerPrefix;
    if (n == 0) return key;
    // 1: "\0", 2: "\0\0", 3: "\0\0\0", 4: "\x20", 5: "\x20\0" ...
    key += static_cast<char>((n - 1) / 3 * 0x20);
    key.append((n - 1) % 3, '\0');
    return key;
  }
  static Value value(std::uint64_t i) { return std::to_string(i); }
};

// Keys out of line, with values that a slot can hold beside the pointer to them.
struct StringsToPairs {
  struct Value {
    std::uint64_t number;
    const void* pointer;
    bool operator==(const Value& other) const noexcept { return number == other.number && pointer == other.pointer; }
  };
  using Key = std::string;
  static Key key(std::uint64_t i) { return Strings::key(i); }
  static Value value(std::uint64_t i) { return {i, nullptr}; }
};
struct VectorsToIntegers {
  using Key = std::vector<std::uint64_t>;
  using Value = std::int64_t;
  static Key key(std::uint64_t i) { return {i / 7, i % 7}; }
  static Value value(std::uint64_t i) { return static_cast<std::int64_t>(i); }
};

// Keys and values that lie out of line as objects.
struct Vectors {
  using Key = std::vector<std::uint64_t>;
  using Value = std::vector<std::uint64_t>;
  static Key key(std::uint64_t i) { return {i / 7, i % 7}; }
  static Value value(std::uint64_t i) { return {i}; }
};

struct HashOfVector {
  std::size_t operator()(const std::vector<std::uint64_t>& key) const noexcept {
    std::size_t h = 0;
    for (std::uint64_t k : key) h = h * 31 + k;
    return h;
  }
};

}  // namespace scree::test
