// SPDX-License-Identifier: Apache-2.0
//
// How the hash containers turn a key into a hash and a caller's key into what they look up by.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace scree {

// The default hash: std::hash, and for byte strings one that takes any view of them. It need not spread its bits: the
// containers mix what a hash returns, so an identity (std::hash of integers) or a weak one of the user's will do.
template <class K>
struct Hash {
  std::size_t operator()(const K& key) const noexcept(noexcept(std::hash<K>()(key))) { return std::hash<K>()(key); }
};
template <>
struct Hash<std::string> {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>()(key); }
};

namespace detail {

// A bijection under which every input bit reaches the high output bits, where the containers take the bucket from
// (the finaliser of SplitMix64).
constexpr std::uint64_t mix_hash(std::uint64_t h) noexcept {
  h ^= h >> 30;
  h *= 0xbf58476d1ce4e5b9u;
  h ^= h >> 27;
  h *= 0x94d049bb133111ebu;
  h ^= h >> 31;
  return h;
}

template <class F>
concept Transparent = requires { typename F::is_transparent; };

// What a caller's key is looked up as: byte strings by a view, other keys by themselves where hash and equality both take
// foreign types, else by a K made of it (no copy is made of a K).
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

}  // namespace detail
}  // namespace scree
