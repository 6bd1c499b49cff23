// SPDX-License-Identifier: Apache-2.0
//
// How many of the numbers in a sorted array are below a number: what a search in a node comes down to. Without branches
// that depend on the numbers. With AVX-512 all are compared, eight or sixteen at a time, so that no comparison waits
// for another; the instructions are chosen at run time unless the program is compiled for them. Otherwise by halving.

#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <scree/atomic.h>

#if defined(__x86_64__) && !SCREE_MODEL
#include <immintrin.h>
#define SCREE_RANK_BY_AVX512 1
#else
#define SCREE_RANK_BY_AVX512 0
#endif

namespace scree::detail {

template <class T>
concept Rankable = std::integral<T> &&(sizeof(T) == 8 || sizeof(T) == 4);

enum class RankOf { kBelow, kNotAbove };

template <RankOf kOf, class T>
constexpr bool counts(T element, T x) noexcept {
  return kOf == RankOf::kBelow ? element < x : !(x < element);
}

template <RankOf kOf, class T>
unsigned rank_by_halving(const Plain<T>* sorted, unsigned n, T x) noexcept {
  const Plain<T>* first = sorted;
  while (n > 1) {
    const unsigned half = n / 2;
    first += counts<kOf, T>(first[half - 1], x) ? half : 0;
    n -= half;
  }
  return static_cast<unsigned>(first - sorted) + (n == 1 && counts<kOf, T>(*first, x) ? 1 : 0);
}

#if SCREE_RANK_BY_AVX512

#if defined(__AVX512F__)
#define SCREE_AVX512_FUNCTION inline
#else
#define SCREE_AVX512_FUNCTION [[gnu::target("avx512f,popcnt")]] inline
#endif

template <RankOf kOf, Rankable T>
SCREE_AVX512_FUNCTION unsigned rank_by_avx512(const T* sorted, unsigned n, T x) noexcept {
  constexpr unsigned kLanes = 64 / sizeof(T);
  constexpr int kCompare = kOf == RankOf::kBelow ? _MM_CMPINT_LT : _MM_CMPINT_LE;
  unsigned rank = 0;
  for (unsigned i = 0; i < n; i += kLanes) {
    const unsigned in = n - i < kLanes ? (1u << (n - i)) - 1 : (1u << kLanes) - 1;
    if constexpr (sizeof(T) == 8) {
      const auto lanes = static_cast<__mmask8>(in);
      const __m512i elements = _mm512_maskz_loadu_epi64(lanes, sorted + i);
      const __m512i bound = _mm512_set1_epi64(static_cast<long long>(x));
      rank += static_cast<unsigned>(std::popcount(
          static_cast<unsigned>(std::is_signed_v<T> ? _mm512_mask_cmp_epi64_mask(lanes, elements, bound, kCompare)
                                                    : _mm512_mask_cmp_epu64_mask(lanes, elements, bound, kCompare))));
    } else {
      const auto lanes = static_cast<__mmask16>(in);
      const __m512i elements = _mm512_maskz_loadu_epi32(lanes, sorted + i);
      const __m512i bound = _mm512_set1_epi32(static_cast<int>(x));
      rank += static_cast<unsigned>(std::popcount(
          static_cast<unsigned>(std::is_signed_v<T> ? _mm512_mask_cmp_epi32_mask(lanes, elements, bound, kCompare)
                                                    : _mm512_mask_cmp_epu32_mask(lanes, elements, bound, kCompare))));
    }
  }
  return rank;
}

// A bit for each of at most 32 numbers that compares with x as asked for.
template <int kCompare, Rankable T>
SCREE_AVX512_FUNCTION unsigned lanes_by_avx512(const T* numbers, unsigned n, T x) noexcept {
  constexpr unsigned kLanes = 64 / sizeof(T);
  unsigned lanes_that_do = 0;
  for (unsigned i = 0; i < n; i += kLanes) {
    const unsigned in = n - i < kLanes ? (1u << (n - i)) - 1 : (1u << kLanes) - 1;
    unsigned here;
    if constexpr (sizeof(T) == 8) {
      const auto lanes = static_cast<__mmask8>(in);
      const __m512i loaded = _mm512_maskz_loadu_epi64(lanes, numbers + i);
      const __m512i bound = _mm512_set1_epi64(static_cast<long long>(x));
      here = std::is_signed_v<T> ? _mm512_mask_cmp_epi64_mask(lanes, loaded, bound, kCompare)
                                 : _mm512_mask_cmp_epu64_mask(lanes, loaded, bound, kCompare);
    } else {
      const auto lanes = static_cast<__mmask16>(in);
      const __m512i loaded = _mm512_maskz_loadu_epi32(lanes, numbers + i);
      const __m512i bound = _mm512_set1_epi32(static_cast<int>(x));
      here = std::is_signed_v<T> ? _mm512_mask_cmp_epi32_mask(lanes, loaded, bound, kCompare)
                                 : _mm512_mask_cmp_epu32_mask(lanes, loaded, bound, kCompare);
    }
    lanes_that_do |= here << i;
  }
  return lanes_that_do;
}

#undef SCREE_AVX512_FUNCTION

inline bool has_avx512() noexcept {
#if defined(__AVX512F__)
  return true;
#else
  return __builtin_cpu_supports("avx512f") != 0;
#endif
}

#endif  // SCREE_RANK_BY_AVX512

// The number of elements below x, or not above it. O(n) or O(log n): n is that of a node.
template <RankOf kOf, Rankable T>
unsigned sorted_rank(const Plain<T>* sorted, unsigned n, T x) noexcept {
#if SCREE_RANK_BY_AVX512
  if (has_avx512()) return rank_by_avx512<kOf>(sorted, n, x);
#endif
  return rank_by_halving<kOf>(sorted, n, x);
}

// Those of `among`, a bit for each of the first n <= 32 numbers, that are x, or below it. With vectors also the others
// are loaded.
template <Rankable T>
unsigned equal_among(const Plain<T>* numbers, [[maybe_unused]] unsigned n, unsigned among, T x) noexcept {
#if SCREE_RANK_BY_AVX512
  if (has_avx512()) return lanes_by_avx512<_MM_CMPINT_EQ>(numbers, n, x) & among;
#endif
  unsigned equal = 0;
  for (unsigned left = among; left != 0; left &= left - 1) {
    if (numbers[std::countr_zero(left)] == x) equal |= left & -left;
  }
  return equal;
}
template <Rankable T>
unsigned below_among(const Plain<T>* numbers, [[maybe_unused]] unsigned n, unsigned among, T x) noexcept {
#if SCREE_RANK_BY_AVX512
  if (has_avx512()) return lanes_by_avx512<_MM_CMPINT_LT>(numbers, n, x) & among;
#endif
  unsigned below = 0;
  for (unsigned left = among; left != 0; left &= left - 1) {
    if (numbers[std::countr_zero(left)] < x) below |= left & -left;
  }
  return below;
}

}  // namespace scree::detail
