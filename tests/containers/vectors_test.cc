// SPDX-License-Identifier: Apache-2.0
//
// What works with vectors and without: both against the plainest way.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <scree/detail/bit_list.h>
#include <scree/detail/sorted_rank.h>

namespace scree::detail {
namespace {

// With the processor's vectors, if it has any, and without.
template <class Check>
void both_ways(const Check& check) {
  check(ChosenAtRunTime());
#if SCREE_HAS_VECTORS
  if (has_avx512()) check(Avx512());
#endif
}

template <class T>
class Ranks : public testing::Test {
 protected:
  // Small ones, so that there are equal ones, and those at the ends of the type.
  T number() {
    switch (random_() % 8) {
      case 0: return std::numeric_limits<T>::min();
      case 1: return std::numeric_limits<T>::max();
      default: return static_cast<T>(random_() % 60) - T{30};
    }
  }
  std::vector<T> numbers(std::size_t n) {
    std::vector<T> result(n);
    for (T& each : result) each = number();
    return result;
  }

  std::mt19937_64 random_{7};
};
using Numbers = testing::Types<std::uint64_t, std::int64_t, std::uint32_t, std::int32_t>;
TYPED_TEST_SUITE(Ranks, Numbers);

TYPED_TEST(Ranks, are_those_of_a_search_in_the_standard_library) {
  for (unsigned n = 0; n <= 64; ++n) {
    for (int round = 0; round < 30; ++round) {
      std::vector<TypeParam> sorted = this->numbers(n);
      std::sort(sorted.begin(), sorted.end());
      const TypeParam x = this->number();
      const auto below = static_cast<unsigned>(std::lower_bound(sorted.begin(), sorted.end(), x) - sorted.begin());
      const auto not_above = static_cast<unsigned>(std::upper_bound(sorted.begin(), sorted.end(), x) - sorted.begin());
      both_ways([&](auto how) {
        ASSERT_EQ(sorted_rank<RankOf::kBelow>(how, sorted.data(), n, x), below);
        ASSERT_EQ(sorted_rank<RankOf::kNotAbove>(how, sorted.data(), n, x), not_above);
        ASSERT_EQ(rank_from_end<RankOf::kBelow>(how, sorted.data(), n, x), below);
        ASSERT_EQ(rank_from_end<RankOf::kNotAbove>(how, sorted.data(), n, x), not_above);
      });
    }
  }
}

TYPED_TEST(Ranks, of_numbers_in_no_order_are_found_among_those_asked_for) {
  for (unsigned n = 1; n <= 16; ++n) {
    for (int round = 0; round < 30; ++round) {
      const std::vector<TypeParam> numbers = this->numbers(n);
      const TypeParam x = this->number();
      const unsigned among = static_cast<unsigned>(this->random_()) & ((1u << n) - 1);
      unsigned equal = 0;
      unsigned below = 0;
      for (unsigned i = 0; i < n; ++i) {
        if ((among >> i & 1) != 0 && numbers[i] == x) equal |= 1u << i;
        if ((among >> i & 1) != 0 && numbers[i] < x) below |= 1u << i;
      }
      both_ways([&](auto how) {
        ASSERT_EQ(lanes_among<LanesThat::kEqual>(how, numbers.data(), n, among, x), equal);
        ASSERT_EQ(lanes_among<LanesThat::kBelow>(how, numbers.data(), n, among, x), below);
      });
    }
  }
}

TEST(BitList, has_the_numbers_of_one_set_at_the_places_of_another) {
  std::mt19937_64 random(11);
  const auto random_set = [&](unsigned n) {
    std::uint64_t set = 0;
    while (n != 0) {
      const std::uint64_t bit = std::uint64_t{1} << random() % 64;
      if ((set & bit) != 0) continue;
      set |= bit;
      --n;
    }
    return set;
  };
  for (unsigned n = 0; n <= 64; ++n) {
    for (int round = 0; round < 20; ++round) {
      const std::uint64_t set = random_set(n);
      const std::uint64_t at = random_set(n);
      both_ways([&](auto how) {
        std::array<std::uint8_t, 64> list{};
        list_bits(how, set, at, list.data());
        unsigned place = 0;
        for (unsigned number = 0; number < 64; ++number) {
          if ((set >> number & 1) == 0) continue;
          while ((at >> place & 1) == 0) ++place;
          ASSERT_EQ(list[place++], number);
        }
      });
    }
  }
}

}  // namespace
}  // namespace scree::detail
