// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the hash containers' awaitable operations share: the containers with some kinds of keys, and
// threads that hold a bucket.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/hash_index.h>
#include <scree/hash_map.h>
#include <scree/hash_set.h>

#include "awaiting.h"
#include "waiting_thread.h"

namespace scree::test {

// Of keys that stand for a number below 65,536. Walks come by them in the order of their numbers.
struct HashInOrder {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(std::uint64_t n) const noexcept { return n << 48 | n * 0x9e3779b97f4a7c15 >> 16; }
  std::uint64_t operator()(std::string_view key) const noexcept { return (*this)(number_in(key)); }
  std::uint64_t operator()(const std::vector<std::uint64_t>& key) const noexcept { return (*this)(key[0]); }

  static std::uint64_t number_in(std::string_view key) noexcept {
    std::uint64_t n = 0;
    for (const char digit : key.substr(key.rfind(' ') + 1)) n = n * 10 + static_cast<std::uint64_t>(digit - '0');
    return n;
  }
};

// In the slots.
struct Numbers {
  using Key = std::uint64_t;
  using Value = std::int64_t;
  static constexpr bool kOutOfLine = false;
  static Key key(std::uint64_t n) { return n; }
  static std::uint64_t number(Key key) { return key; }
  static Value value(std::int64_t n) { return n; }
};
// Out of line, with keys that are copied there.
struct Texts {
  using Key = std::string;
  using Value = std::string;
  static constexpr bool kOutOfLine = true;
  static Key key(std::uint64_t n) { return "a key that no string has room for " + std::to_string(n); }
  static std::uint64_t number(std::string_view key) { return HashInOrder::number_in(key); }
  static Value value(std::int64_t n) { return "a value that no string has room for " + std::to_string(n); }
};
// The same with keys that are moved there.
struct Lists {
  using Key = std::vector<std::uint64_t>;
  using Value = std::string;
  static constexpr bool kOutOfLine = true;
  static Key key(std::uint64_t n) { return {n, 7}; }
  static std::uint64_t number(const Key& key) { return key.empty() ? ~std::uint64_t{0} : key[0]; }
  static Value value(std::int64_t n) { return Texts::value(n); }
};

enum class Kind { kIndex, kMap, kSet };
template <Kind kOf, class C, class Hash = HashInOrder, template <class> class AllocatorFor = std::allocator>
struct Face {
  static constexpr Kind kKind = kOf;
  using Config = C;
  using Key = typename C::Key;
  using Value = typename C::Value;
  using Allocator = AllocatorFor<Key>;
  using Equal = std::equal_to<>;
  using Container =
      std::conditional_t<kOf == Kind::kIndex, HashIndex<Key, Value, Hash, Equal, Allocator>,
                         std::conditional_t<kOf == Kind::kMap, HashMap<Key, Value, Hash, Equal, Allocator>,
                                            HashSet<Key, Hash, Equal, Allocator>>>;

  static bool insert(Container& container, std::uint64_t n) {
    if constexpr (kOf == Kind::kSet) {
      return container.insert(C::key(n));
    } else {
      return container.insert(C::key(n), C::value(static_cast<std::int64_t>(n)));
    }
  }
  // Moves from the arguments.
  static auto insert_async(Container& container, Key& key, [[maybe_unused]] Value& value) {
    if constexpr (kOf == Kind::kSet) {
      return container.insert_async(std::move(key));
    } else {
      return container.insert_async(std::move(key), std::move(value));
    }
  }
  static bool contains(const Container& container, std::uint64_t n) { return container.contains(C::key(n)); }
  // The values; of a set, as if it had the keys' own.
  static std::map<std::uint64_t, Value> contents(const Container& container) {
    std::map<std::uint64_t, Value> found;
    const auto add = [&found](const auto& key, const auto&... value) {
      const std::uint64_t n = C::number(key);
      const bool fresh = found.emplace(n, (C::value(static_cast<std::int64_t>(n)), ..., value)).second;
      EXPECT_TRUE(fresh) << "one key twice: " << n;
    };
    if constexpr (kOf == Kind::kIndex) {
      const ebr::Barrier barrier;
      for (const auto& [key, value] : container.iter(barrier)) add(key, value);
    } else {
      container.scan(add);
    }
    EXPECT_EQ(container.len(), found.size());
    return found;
  }
};

template <class Config>
using IndexOf = Face<Kind::kIndex, Config>;
template <class Config>
using MapOf = Face<Kind::kMap, Config>;
template <class Config>
using SetOf = Face<Kind::kSet, Config>;

// What a container is filled with: the n-th key, and one beside it that is absent, both of one bucket. There are
// several buckets.
inline constexpr std::uint64_t kKeys = 64;
constexpr std::uint64_t nth(std::uint64_t n) { return n * 1024; }
constexpr std::uint64_t absent_beside(std::uint64_t n) { return nth(n) + 1; }

// Many more, in all buckets.
inline constexpr std::uint64_t kMore = kKeys * 16;
constexpr std::uint64_t more(std::uint64_t n) { return nth(n % kKeys) + 8 + n / kKeys * 8; }
// One of them, in a bucket behind the first of those that become one when all of them go.
inline constexpr std::uint64_t kBehindOthers = more(kKeys * 7 + kKeys / 2 + 1);

template <class Face>
void fill(typename Face::Container& container) {
  for (std::uint64_t n = 0; n < kKeys; ++n) Face::insert(container, nth(n));
}

// For a WaitingThread: while it is paused, it holds the bucket of a key that is present.
template <class Face>
auto holding(typename Face::Container& container, std::uint64_t n) {
  return [&container, key = Face::Config::key(n)](auto pause) {
    container.remove_if(key, [&](const auto&...) {
      pause();
      return false;
    });
  };
}

// Inserts n with value -n, and says whether it was absent.
template <class Face>
Coroutine insert_one(typename Face::Container& container, std::uint64_t n, int& result) {
  auto key = Face::Config::key(n);
  auto value = Face::Config::value(-static_cast<std::int64_t>(n));
  const bool fresh = co_await Face::insert_async(container, key, value);
  EXPECT_TRUE(is_outside());
  result = fresh ? 1 : 0;
}

template <class Face>
Coroutine remove_one(typename Face::Container& container, std::uint64_t n) {
  const auto key = Face::Config::key(n);
  co_await container.remove_async(key);
}

}  // namespace scree::test
