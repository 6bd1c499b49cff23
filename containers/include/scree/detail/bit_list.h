// SPDX-License-Identifier: Apache-2.0
//
// Sets of small numbers, as bits, written out as lists.

#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <numeric>

#include <scree/detail/vectors.h>

namespace scree::detail {

// Each at its own place.
alignas(64) inline constexpr std::array<std::uint8_t, 64> kAllNumbers = [] {
  std::array<std::uint8_t, 64> numbers{};
  std::iota(numbers.begin(), numbers.end(), std::uint8_t{0});
  return numbers;
}();

// Writes the numbers of the bits of `set`, ascending, to list[i] for the bits i of `at`, ascending; both have as many.
// What the rest of list[0 .. 64) becomes is not said.
#if SCREE_HAS_VECTORS
SCREE_AVX512_FUNCTION inline void list_bits(Avx512, std::uint64_t set, std::uint64_t at, std::uint8_t* list) noexcept {
  const __m512i numbers = _mm512_load_si512(kAllNumbers.data());
  _mm512_storeu_si512(list, _mm512_maskz_expand_epi8(at, _mm512_maskz_compress_epi8(set, numbers)));
}
#endif
inline void list_bits(ChosenAtRunTime, std::uint64_t set, std::uint64_t at, std::uint8_t* list) noexcept {
  for (; at != 0; at &= at - 1) {
    list[std::countr_zero(at)] = static_cast<std::uint8_t>(std::countr_zero(set));
    set &= set - 1;
  }
}

}  // namespace scree::detail
