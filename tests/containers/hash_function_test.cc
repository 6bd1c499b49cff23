// SPDX-License-Identifier: Apache-2.0
//
// The hash functions, and what the containers do with what they return.

#include <scree/hash_function.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <scree/hash_map.h>
#include <scree/hash_set.h>

#include "hash_kinds.h"

namespace scree::test {
namespace {

// For the key 00, 01, … 0f: of the empty input, of 00, of 00 01, and so on. The first ones are those of Rust's
// core::hash::sip; all are of an implementation of the paper that gives the paper's results for SipHash-2-4.
constexpr std::uint64_t kVectors[] = {
    0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb, 0xcf75576088d38328,
    0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e, 0x25a48eb36c063de4,
    0x79de85ee92ff097f, 0x70c118c1f94dc352, 0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34,
    0xd320d86d2a519956, 0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c, 0x8ffc389cb473e63e, 0xf21f9de58d297d1c,
    0xc0dc2f46a6cce040, 0xb992abfe2b45f844, 0x7ffe7b9ba320872e, 0x525a0e7fdae6c123, 0xf464aeb267349c8c,
    0x45cd5928705b0979, 0x3a3e35e3ca9913a5, 0xa91dc74e4ade3b35, 0xfb0bed02ef6cd00d, 0x88d93cb44ab1e1f4,
    0x540f11d643c5e663, 0x2370dd1f8c21d1bc, 0x81157b6c16a7b60d, 0x4d54b9e57a8ff9bf, 0x759f12781f2a753e,
    0xcea1a3bebf186b91, 0x2cf508d3ada26206, 0xb6101c2da3c33057, 0xb3f47496ae3a36a1, 0x626b57547b108392,
    0xc1d2363299e41531, 0x667cc1923f1ad944, 0x65704ffec8138825, 0x24f280d1c28949a6, 0xc2ca1cedfaf8876b,
    0xc2164bfc9f042196, 0xa16e9c9368b1d623, 0x49fb169c8b5114fd, 0x9f3143f8df074c46, 0xc6fdaf2412cc86b3,
    0x7eaf49d10a52098f, 0x1cf313559d292f9a, 0xc44a30dda2f41f12, 0x36fae98943a71ed0, 0x318fb34c73f0bce6,
    0xa27abf3670a7e980, 0xb4bcc0db243c6d75, 0x23f8d852fdb71513, 0x8f035f4da67d8a08, 0xd89cd0e5b7e8f148,
    0xf6f4e6bcf7a644ee, 0xaec59ad80f1837f2, 0xc3b2f6154b6694e0, 0x9d199062b7bbb3a8,
};

TEST(SipHash, gives_the_published_results) {
  const detail::SipHash::Secret secret = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string input;
  for (const std::uint64_t expected : kVectors) {
    EXPECT_EQ(detail::SipHash(secret).of(input), expected) << input.size();
    input += static_cast<char>(input.size());
  }
}

// Where the bytes lie does not matter.
TEST(SipHash, takes_bytes_at_any_address) {
  const detail::SipHash::Secret secret = {1, 2};
  const std::string bytes = "twenty bytes and more";
  const std::uint64_t expected = detail::SipHash(secret).of(bytes);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const std::string shifted = std::string(shift, 'x') + bytes;
    EXPECT_EQ(detail::SipHash(secret).of(std::string_view(shifted).substr(shift)), expected);
  }
}

template <class K>
void check_secrets(const K& key) {
  const KeyedHash<K> first;
  const KeyedHash<K> copy = first;
  EXPECT_EQ(first(key), copy(key));
  std::set<std::uint64_t> results = {first(key)};
  for (int n = 0; n < 20; ++n) results.insert(KeyedHash<K>()(key));
  EXPECT_EQ(results.size(), 21u);
}

TEST(KeyedHash, has_another_secret_in_each_object_and_the_same_in_copies) {
  check_secrets<std::uint64_t>(7);
  check_secrets<std::string>("seven");
}

TEST(KeyedHash, takes_any_view_of_a_byte_string) {
  const KeyedHash<std::string> hash;
  EXPECT_EQ(hash(std::string("abc")), hash(std::string_view("abc")));
  EXPECT_NE(hash("abc"), hash("abd"));
}

TEST(KeyedHash, serves_the_containers) {
  HashMap<std::string, int, KeyedHash<std::string>> map;
  HashSet<std::uint32_t, KeyedHash<std::uint32_t>> set;
  for (std::uint32_t n = 0; n < 1'000; ++n) {
    EXPECT_TRUE(map.insert(std::to_string(n), 1));
    EXPECT_TRUE(set.insert(n << 20));
  }
  for (std::uint32_t n = 0; n < 1'000; ++n) {
    EXPECT_TRUE(map.contains(std::string_view(std::to_string(n))));
    EXPECT_TRUE(set.contains(n << 20));
  }
}

struct MixedHighBits {
  std::uint64_t operator()(std::uint64_t n) const noexcept { return HighBits()(n); }
};

// The order of buckets is that of hashes, and each of these keys has a bucket of its own unless they are mixed.
template <class HashFunction>
std::vector<std::uint64_t> order_of_keys() {
  HashSet<std::uint64_t, HashFunction> set(16 * 256);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t n = 256; n-- > 0;) set.insert(n);
  set.scan([&](std::uint64_t key) { keys.push_back(key); });
  return keys;
}

TEST(HashFunction, that_says_it_is_avalanching_is_taken_as_it_is) {
  const auto keys = order_of_keys<HighBits>();
  EXPECT_EQ(keys.size(), 256u);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}
TEST(HashFunction, that_does_not_is_mixed) {
  const auto keys = order_of_keys<MixedHighBits>();
  EXPECT_EQ(keys.size(), 256u);
  EXPECT_FALSE(std::is_sorted(keys.begin(), keys.end()));
}

// The first bits choose the bucket and the last 8 are the fingerprint: both are to differ where only some bits of keys
// do.
TEST(HashFunction, of_the_default_spreads_keys_that_differ_in_few_bits) {
  constexpr std::uint64_t kKeys = 4'096;
  for (const unsigned shift : {0u, 8u, 20u, 32u, 44u, 52u}) {
    std::set<std::uint64_t> buckets, with_fingerprints;
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      const std::uint64_t hash = detail::mix_hash(Hash<std::uint64_t>()(n << shift));
      buckets.insert(hash >> 52);
      with_fingerprints.insert(hash >> 60 << 8 | (hash & 0xff));
    }
    EXPECT_GT(buckets.size(), kKeys / 2) << "a random hash fills 63 % of as many buckets";
    EXPECT_GT(with_fingerprints.size(), kKeys / 2);
  }
  std::set<std::uint64_t> of_strings;
  for (std::uint64_t n = 0; n < kKeys; ++n) {
    of_strings.insert(detail::mix_hash(Hash<std::string>()("key " + std::to_string(n))) >> 52);
  }
  EXPECT_GT(of_strings.size(), kKeys / 2);
}

}  // namespace
}  // namespace scree::test
