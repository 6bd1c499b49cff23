// SPDX-License-Identifier: Apache-2.0
//
// What is put into the maps that are compared, and in which order. The keys are made of splitmix64 of 0 to n - 1, put
// in in this order, read and erased in a shuffled one that is the same in every run.
//
// A workload is a type with:
//   KeyView, ValueView                        what a map is asked with, and what it hands out
//   Key                                       what is made of a number and is a KeyView; in the order of the numbers
//   static ValueView value(std::uint64_t i)   of entry i
//   static std::uint64_t digest(ValueView)    looks at a value; sums of them tell whether all were found
//   static constexpr std::uint64_t kMost      entries that memory bears: a few gigabytes

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "generator.h"

namespace scree::bench {

inline constexpr std::uint64_t kMapEntries = 1'000'000;
inline constexpr std::uint64_t kScanLength = 100;

inline std::uint64_t splitmix64(std::uint64_t i) { return Random(i).next(); }

// The numbers of the keys in both orders, made once for each n.
struct MapKeys {
  explicit MapKeys(std::uint64_t n) : greatest(std::min(n, kScanLength)) {
    for (std::uint64_t i = 0; i < n; ++i) in_order.push_back(splitmix64(i));
    shuffled = in_order;
    for (std::uint64_t i = n; i > 1; --i) std::swap(shuffled[i - 1], shuffled[splitmix64(~i) % i]);
    std::partial_sort_copy(in_order.begin(), in_order.end(), greatest.begin(), greatest.end(), std::greater<>());
  }
  static const MapKeys& of(std::uint64_t n) {
    static std::unique_ptr<MapKeys> last;
    if (last == nullptr || last->in_order.size() != n) last = std::make_unique<MapKeys>(n);
    return *last;
  }

  // How many entries a scan from `key` on finds.
  std::uint64_t scan_length(std::uint64_t key) const {
    return static_cast<std::uint64_t>(std::upper_bound(greatest.begin(), greatest.end(), key, std::greater<>()) -
                                      greatest.begin());
  }

  std::vector<std::uint64_t> in_order, shuffled;
  std::vector<std::uint64_t> greatest;  // those that a scan from the last of them on finds, descending
};

// 64-bit keys and values.
struct NumberWorkload {
  using KeyView = std::uint64_t;
  using ValueView = std::uint64_t;
  using Key = std::uint64_t;
  static constexpr std::uint64_t kMost = 50'000'000;

  static ValueView value(std::uint64_t i) { return i; }
  static std::uint64_t digest(ValueView value) { return value; }
};

// Keys of 16 bytes and values of 100, half compressible: those of db_bench.
struct ByteWorkload {
  using KeyView = std::string_view;
  using ValueView = std::string_view;
  static constexpr std::uint64_t kMost = 10'000'000;

  class Key {
   public:
    explicit Key(std::uint64_t number) {
      bytes_.fill('0');
      for (std::size_t i = 0; i < sizeof number; ++i) bytes_[i] = static_cast<char>(number >> (8 * (7 - i)));
    }
    operator std::string_view() const { return {bytes_.data(), bytes_.size()}; }

   private:
    std::array<char, 16> bytes_;
  };

  static ValueView value(std::uint64_t i) {
    constexpr std::uint64_t kSize = 100, kValues = 10'000;
    static const ValuePool pool(0.5, kSize * kValues);
    return pool.bytes().substr(i % kValues * kSize, kSize);
  }
  static std::uint64_t digest(ValueView value) {
    std::uint64_t first = 0;
    std::memcpy(&first, value.data(), sizeof first);
    return first;
  }
};

}  // namespace scree::bench
