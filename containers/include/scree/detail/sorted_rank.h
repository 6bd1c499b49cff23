// SPDX-License-Identifier: Apache-2.0
//
// How many of the numbers in a sorted array are below a number: what a search in a node comes down to. Without branches
// that depend on the numbers. With AVX-512 all are compared, eight or sixteen at a time, so that no comparison waits
// for another. Otherwise by halving.

#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <scree/atomic.h>
#include <scree/detail/vectors.h>

namespace scree::detail {

template <class T>
concept Rankable = std::integral<T> &&(sizeof(T) == 8 || sizeof(T) == 4);

enum class RankOf { kBelow, kNotAbove };
enum class LanesThat { kEqual, kBelow };

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

#if SCREE_HAS_VECTORS

// A bit for each of the first numbers of as many as a vector has that compares with x as asked for; of n at most.
template <int kCompare, Rankable T>
SCREE_AVX512_FUNCTION inline unsigned compare_vector(const T* numbers, unsigned n, T x) noexcept {
  constexpr unsigned kLanes = 64 / sizeof(T);
  const unsigned in = _bzhi_u32((1u << kLanes) - 1, n);
  if constexpr (sizeof(T) == 8) {
    const auto lanes = static_cast<__mmask8>(in);
    const __m512i loaded = _mm512_maskz_loadu_epi64(lanes, numbers);
    const __m512i bound = _mm512_set1_epi64(static_cast<long long>(x));
    return std::is_signed_v<T> ? _mm512_mask_cmp_epi64_mask(lanes, loaded, bound, kCompare)
                               : _mm512_mask_cmp_epu64_mask(lanes, loaded, bound, kCompare);
  } else {
    const auto lanes = static_cast<__mmask16>(in);
    const __m512i loaded = _mm512_maskz_loadu_epi32(lanes, numbers);
    const __m512i bound = _mm512_set1_epi32(static_cast<int>(x));
    return std::is_signed_v<T> ? _mm512_mask_cmp_epi32_mask(lanes, loaded, bound, kCompare)
                               : _mm512_mask_cmp_epu32_mask(lanes, loaded, bound, kCompare);
  }
}

template <RankOf kOf, Rankable T>
SCREE_AVX512_FUNCTION inline unsigned sorted_rank(Avx512, const T* sorted, unsigned n, T x) noexcept {
  constexpr unsigned kLanes = 64 / sizeof(T);
  constexpr int kCompare = kOf == RankOf::kBelow ? _MM_CMPINT_LT : _MM_CMPINT_LE;
  unsigned rank = 0;
  for (unsigned i = 0; i < n; i += kLanes) {
    rank += static_cast<unsigned>(std::popcount(compare_vector<kCompare>(sorted + i, n - i, x)));
  }
  return rank;
}

template <LanesThat kThat, Rankable T>
SCREE_AVX512_FUNCTION inline unsigned lanes_among(Avx512, const T* numbers, unsigned n, unsigned among, T x) noexcept {
  constexpr unsigned kLanes = 64 / sizeof(T);
  constexpr int kCompare = kThat == LanesThat::kEqual ? _MM_CMPINT_EQ : _MM_CMPINT_LT;
  unsigned found = 0;
  for (unsigned i = 0; i < n; i += kLanes) found |= compare_vector<kCompare>(numbers + i, n - i, x) << i;
  return found & among;
}

#endif  // SCREE_HAS_VECTORS

// The number of elements below x, or not above it. O(n) or O(log n): n is that of a node.
template <RankOf kOf, Rankable T>
unsigned sorted_rank(ChosenAtRunTime, const Plain<T>* sorted, unsigned n, T x) noexcept {
#if SCREE_HAS_VECTORS
  if (has_avx512()) return sorted_rank<kOf>(Avx512(), sorted, n, x);
#endif
  return rank_by_halving<kOf>(sorted, n, x);
}

// Those of `among`, a bit for each of the first n <= 32 numbers, that are x, or below it. With vectors also the others
// are loaded.
template <LanesThat kThat, Rankable T>
unsigned lanes_among(ChosenAtRunTime, const Plain<T>* numbers, [[maybe_unused]] unsigned n, unsigned among,
                     T x) noexcept {
#if SCREE_HAS_VECTORS
  if (has_avx512()) return lanes_among<kThat>(Avx512(), numbers, n, among, x);
#endif
  unsigned found = 0;
  for (unsigned left = among; left != 0; left &= left - 1) {
    const T number = numbers[std::countr_zero(left)];
    if (kThat == LanesThat::kEqual ? number == x : number < x) found |= left & -left;
  }
  return found;
}

// For what is not numbers: the first of [low, high) for which `is_before(i)` does not hold, as it does for none after
// it; high if there is none.
template <class IsBefore>
unsigned rank_between(unsigned low, unsigned high, const IsBefore& is_before) {
  unsigned n = high - low;
  while (n != 0) {
    const unsigned half = n / 2;
    if (is_before(low + half)) {
      low += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return low;
}

// The same as sorted_rank(), at once where it is all of them: so it is in node after node where keys arrive in order.
template <RankOf kOf, class How, Rankable T>
unsigned rank_from_end(How how, const Plain<T>* sorted, unsigned n, T x) noexcept {
  if (n != 0 && counts<kOf, T>(sorted[n - 1], x)) return n;
  return sorted_rank<kOf>(how, sorted, n, x);
}

}  // namespace scree::detail
