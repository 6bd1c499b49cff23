// SPDX-License-Identifier: Apache-2.0

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "generator.h"

namespace scree::bench {
namespace {

using namespace std::string_literals;

TEST(Key, is_a_big_endian_number_filled_up_with_zero_digits) {
  Key key(16);
  EXPECT_EQ(key.set(0x0102),
            "\0\0\0\0\0\0\1\2"
            "00000000"s);
  Key same_width(8);
  EXPECT_EQ(same_width.set(0x0102030405060708), "\1\2\3\4\5\6\7\x08"s);
  Key shorter(2);
  EXPECT_EQ(shorter.set(0x0102), "\1\2"s);
}

RC_GTEST_PROP(Key, order_is_that_of_the_numbers, (std::uint64_t a, std::uint64_t b)) {
  Key key_a(16);
  Key key_b(16);
  RC_ASSERT((key_a.set(a) < key_b.set(b)) == (a < b));
}

TEST(ValuePool, pieces_repeat_their_first_part_as_the_ratio_says) {
  const ValuePool pool(0.25, 100);
  ValueGenerator values(pool, 100);
  std::set<std::string_view> pieces;
  for (int i = 0; i < 1000; ++i) {
    const std::string_view piece = values.next();
    ASSERT_EQ(piece.size(), 100u);
    ASSERT_EQ(piece.substr(0, 25), piece.substr(25, 25));
    ASSERT_EQ(piece.substr(0, 50), piece.substr(50, 50));
    pieces.insert(piece);
  }
  EXPECT_EQ(pieces.size(), 1000u);
}

TEST(ValuePool, is_never_smaller_than_a_value) {
  constexpr std::size_t kSize = 3u << 20;
  const ValuePool pool(0.5, kSize);
  ValueGenerator values(pool, kSize);
  EXPECT_EQ(values.next().size(), kSize);
  EXPECT_EQ(values.next().size(), kSize);
}

TEST(ValueGenerator, gives_empty_values_for_ever) {
  const ValuePool pool(0.5, 0);
  ValueGenerator values(pool, 0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(values.next().empty());
}

TEST(Random, the_same_seed_gives_the_same_numbers_and_another_one_others) {
  Random a(1);
  Random b(1);
  Random c(2);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
}

}  // namespace
}  // namespace scree::bench
