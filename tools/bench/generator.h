// SPDX-License-Identifier: Apache-2.0
//
// Random numbers, keys and values as RocksDB's db_bench makes them.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace scree::bench {

// splitmix64: a few instructions per number, so that the generator does not show in the result. One per thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound) up to a bias of bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

// A key: the integer's low bytes, big-endian, in the first 8 bytes (or fewer in a shorter key), then '0's.
class Key {
 public:
  explicit Key(std::size_t size) : bytes_(size, '0') {}

  std::string_view set(std::uint64_t number) {
    const std::size_t width = std::min<std::size_t>(bytes_.size(), sizeof number);
    for (std::size_t i = 0; i < width; ++i) {
      bytes_[i] = static_cast<char>(number >> (8 * (width - i - 1)));
    }
    return bytes_;
  }

 private:
  std::string bytes_;
};

// Values cut one after another from a pool made beforehand. The pool's 100-byte pieces are printable random bytes
// of ratio × 100, repeated to 100: a compressor shrinks them to about that ratio.
class ValuePool {
 public:
  ValuePool(double compression_ratio, std::size_t max_value_size) {
    constexpr std::size_t kPiece = 100;
    constexpr std::size_t kPoolSize = 1u << 20;
    Random random(301);
    const auto raw_size = std::max<std::size_t>(1, static_cast<std::size_t>(kPiece * compression_ratio));
    while (bytes_.size() < std::max(kPoolSize, max_value_size)) {
      std::string raw(raw_size, ' ');
      for (char& c : raw) c = static_cast<char>(' ' + random.below(95));
      for (std::size_t filled = 0; filled < kPiece; filled += raw_size) {
        bytes_.append(raw, 0, std::min(raw_size, kPiece - filled));
      }
    }
  }

  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// One thread's position in the shared pool.
class ValueGenerator {
 public:
  ValueGenerator(const ValuePool& pool, std::size_t value_size) : pool_(pool.bytes()), value_size_(value_size) {}

  std::string_view next() {
    if (position_ + value_size_ > pool_.size()) position_ = 0;
    const std::string_view value = pool_.substr(position_, value_size_);
    position_ += value_size_;
    return value;
  }

 private:
  const std::string_view pool_;
  const std::size_t value_size_;
  std::size_t position_ = 0;
};

}  // namespace scree::bench
