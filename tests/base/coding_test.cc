// SPDX-License-Identifier: Apache-2.0

#include <scree/checksum.h>
#include <scree/coding.h>

#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace scree {
namespace {

TEST(Coding, fixed_integers_are_little_endian) {
  std::string bytes;
  put_fixed16(&bytes, 0x0102);
  put_fixed32(&bytes, 0x03040506);
  put_fixed64(&bytes, 0x0708090a0b0c0d0e);
  EXPECT_EQ(bytes, std::string("\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07"));
}

TEST(Coding, varints_have_seven_bits_a_byte) {
  std::string bytes;
  put_varint64(&bytes, 300);
  EXPECT_EQ(bytes, std::string("\xac\x02"));
  EXPECT_EQ(varint_length(127), 1u);
  EXPECT_EQ(varint_length(128), 2u);
  EXPECT_EQ(varint_length(std::numeric_limits<std::uint64_t>::max()), kMaxVarint64Bytes);
}

RC_GTEST_PROP(Coding, gives_back_what_was_put, ()) {
  const auto a = *rc::gen::arbitrary<std::uint16_t>();
  const auto b = *rc::gen::arbitrary<std::uint32_t>();
  const auto c = *rc::gen::arbitrary<std::uint64_t>();
  const auto shift = *rc::gen::inRange(0, 64);
  const auto text = *rc::gen::arbitrary<std::string>();
  std::string bytes;
  put_fixed16(&bytes, a);
  put_varint32(&bytes, b);
  put_fixed32(&bytes, b);
  put_length_prefixed(&bytes, text);
  put_varint64(&bytes, c >> shift);
  put_fixed64(&bytes, c);
  const std::string whole = bytes;

  const auto read = [&](std::string_view input) {
    std::uint16_t a2 = 0;
    std::uint32_t b2 = 0;
    std::uint32_t b3 = 0;
    std::string_view text2;
    std::uint64_t c2 = 0;
    std::uint64_t c3 = 0;
    if (!get_fixed16(&input, &a2) || !get_varint32(&input, &b2) || !get_fixed32(&input, &b3) ||
        !get_length_prefixed(&input, &text2) || !get_varint64(&input, &c2) || !get_fixed64(&input, &c3)) {
      return false;
    }
    RC_ASSERT(a2 == a);
    RC_ASSERT(b2 == b);
    RC_ASSERT(b3 == b);
    RC_ASSERT(text2 == text);
    RC_ASSERT(c2 == c >> shift);
    RC_ASSERT(c3 == c);
    return input.empty();
  };
  RC_ASSERT(read(whole));
  const auto cut = *rc::gen::inRange<std::size_t>(0, whole.size());
  RC_ASSERT(!read(std::string_view(whole).substr(0, cut)));
}

RC_GTEST_PROP(Coding, takes_nothing_from_input_that_it_refuses, (std::string bytes)) {
  std::uint64_t value = 7;
  std::string_view input = bytes;
  if (!get_varint64(&input, &value)) {
    RC_ASSERT(input == bytes);
    RC_ASSERT(value == 7u);
  }
  std::string_view text;
  input = bytes;
  if (get_length_prefixed(&input, &text)) {
    RC_ASSERT(text.size() < bytes.size());
  } else {
    RC_ASSERT(input == bytes);
  }
}

TEST(Coding, refuses_varints_that_do_not_fit) {
  std::string bytes;
  put_varint64(&bytes, std::uint64_t{1} << 32);
  std::string_view input = bytes;
  std::uint32_t narrow = 0;
  EXPECT_FALSE(get_varint32(&input, &narrow));
  const std::string endless(11, '\x80');
  input = endless;
  std::uint64_t wide = 0;
  EXPECT_FALSE(get_varint64(&input, &wide));
  const std::string above = std::string(9, '\xff') + '\x02';  // bit 64
  input = above;
  EXPECT_FALSE(get_varint64(&input, &wide));
  EXPECT_EQ(input, above);
}

TEST(Checksum, is_xxh3_and_depends_on_the_seed) {
  EXPECT_EQ(checksum64("", 0), 0x2d06800538d394c2u);  // the published value for no input
  EXPECT_NE(checksum64("scree", 1), checksum64("scree", 2));
  EXPECT_NE(checksum64(std::string(1000, 'a'), 1), checksum64(std::string(1000, 'a'), 2));
}

}  // namespace
}  // namespace scree
