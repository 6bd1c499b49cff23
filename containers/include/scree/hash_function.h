// SPDX-License-Identifier: Apache-2.0
//
// Hash functions for the hash containers. One of the user's is a function object like these: copied into the container,
// called by any thread, and it returns the same for equal keys. What it returns is mixed before it is used, so a weak
// one will do; unless it names a type `is_avalanching`, which says that each bit of its 64 depends on every bit of the
// key.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include <scree/detail/sip_hash.h>

namespace scree {

// The default: std::hash, and for byte strings one that takes any view of them.
template <class K>
struct Hash {
  std::size_t operator()(const K& key) const noexcept(noexcept(std::hash<K>()(key))) { return std::hash<K>()(key); }
};
template <>
struct Hash<std::string> {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>()(key); }
};

// For keys from people who want them to collide: SipHash-1-3 with a secret key, another one for each object. A copy has
// the key of what it is copied from. Costs two or three times as much as the default. For byte strings, and for types
// without padding of which equal values are equal bytes.
template <class K>
class KeyedHash {
 public:
  using is_avalanching = void;

  // Of a random key. Throws what std::random_device throws.
  KeyedHash() : secret_(detail::SipHash::random_secret()) {}

  std::uint64_t operator()(const K& key) const noexcept {
    static_assert(std::has_unique_object_representations_v<K>, "equal keys of this type may consist of unequal bytes");
    return detail::SipHash(secret_).of({reinterpret_cast<const char*>(&key), sizeof(K)});
  }

 private:
  detail::SipHash::Secret secret_;
};
template <>
class KeyedHash<std::string> {
 public:
  using is_avalanching = void;
  using is_transparent = void;

  KeyedHash() : secret_(detail::SipHash::random_secret()) {}

  std::uint64_t operator()(std::string_view key) const noexcept { return detail::SipHash(secret_).of(key); }

 private:
  detail::SipHash::Secret secret_;
};

}  // namespace scree
