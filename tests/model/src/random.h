// SPDX-License-Identifier: Apache-2.0
//
// A small generator whose sequence is the same everywhere (splitmix64).

#pragma once

#include <cstdint>

namespace scree::model {

class Random {
 public:
  void seed(std::uint64_t seed) { state_ = seed; }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((next() >> 32) * bound >> 32); }

 private:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15u;
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9u;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBu;
    return z ^ (z >> 31);
  }

  std::uint64_t state_ = 1;
};

}  // namespace scree::model
