// SPDX-License-Identifier: Apache-2.0
//
// How the hash containers mix hashes, and turn a caller's key into what they look up by.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace scree::detail {

// Every input bit reaches the high output bits, where the containers take the bucket from, and the low ones: a product
// of 128 bits folded (as in wyhash, by W. Yi), whose bits the second product brings to the high end.
constexpr std::uint64_t mix_hash(std::uint64_t h) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{h ^ 0xa0761d6478bd642fu} * 0xe7037ed1a0b428dbu;
  return (static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64)) * 0x9e3779b97f4a7c15u;
}

// A hash whose every output bit depends on every input bit says so; it is not mixed again.
template <class F>
concept Avalanching = requires {
  typename F::is_avalanching;
};

template <class F>
concept Transparent = requires {
  typename F::is_transparent;
};

// What a caller's key is looked up as: byte strings by a view, other keys by themselves where hash and equality both
// take foreign types, else by a K made of it (no copy is made of a K).
template <class K, class HashFunction, class Equal, class Q>
decltype(auto) lookup_key(const Q& key) {
  if constexpr (std::is_same_v<K, std::string>) {
    return std::string_view(key);
  } else if constexpr (std::is_same_v<K, Q> || (Transparent<HashFunction> && Transparent<Equal>)) {
    return (key);
  } else {
    return K(key);
  }
}

// What a caller's key is put in as: byte strings are seen as a view, other keys are a K or become one.
template <class K, class Q>
decltype(auto) key_to_put(const Q& key) {
  if constexpr (std::is_same_v<K, std::string>) {
    return std::string_view(key);
  } else if constexpr (std::is_same_v<K, Q>) {
    return (key);
  } else {
    return static_cast<K>(key);
  }
}

}  // namespace scree::detail
