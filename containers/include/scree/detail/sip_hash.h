// SPDX-License-Identifier: Apache-2.0
//
// SipHash-1-3: a hash of bytes that cannot be foretold without its secret (J.-P. Aumasson and D. J. Bernstein, 2012;
// one round for each word and three at the end, as Rust's and Python's tables have it).

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace scree::detail {

class SipHash {
 public:
  using Secret = std::array<std::uint64_t, 2>;

  static Secret random_secret() {
    std::random_device device;
    const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
    const std::uint64_t first = word();
    return {first, word()};
  }

  explicit constexpr SipHash(const Secret& secret) noexcept
      : v0_(secret[0] ^ 0x736f6d6570736575),
        v1_(secret[1] ^ 0x646f72616e646f6d),
        v2_(secret[0] ^ 0x6c7967656e657261),
        v3_(secret[1] ^ 0x7465646279746573) {}

  std::uint64_t of(std::string_view bytes) noexcept {
    const std::uint64_t length = std::uint64_t{bytes.size()} << 56;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) add(word_of(bytes.substr(0, 8)));
    add(length | word_of(bytes));
    v2_ ^= 0xff;
    for (int n = 0; n < 3; ++n) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  // Little-endian.
  static std::uint64_t word_of(std::string_view bytes) noexcept {
    std::uint64_t word = 0;
    if constexpr (std::endian::native == std::endian::little) {
      if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    } else {
      for (std::size_t n = 0; n < bytes.size(); ++n) {
        word |= std::uint64_t{static_cast<unsigned char>(bytes[n])} << 8 * n;
      }
    }
    return word;
  }
  constexpr void add(std::uint64_t word) noexcept {
    v3_ ^= word;
    round();
    v0_ ^= word;
  }
  constexpr void round() noexcept {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace scree::detail
