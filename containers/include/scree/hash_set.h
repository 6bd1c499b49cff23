// SPDX-License-Identifier: Apache-2.0
//
// HashSet: a HashMap whose values are nothing.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <scree/hash_map.h>

namespace scree {

// Keys are kept and looked up as by a HashMap, with the same guarantees; so it is with functions that are passed in,
// and with the twins for coroutines.
template <class K, class HashFunction = Hash<K>, class Equal = std::equal_to<>, class Allocator = std::allocator<K>>
class HashSet {
  struct Nothing {};
  static constexpr Nothing kNothing{};
  using Map = HashMap<K, Nothing, HashFunction, Equal, Allocator>;

 public:
  using key_type = K;
  using allocator_type = Allocator;
  using KeyView = typename Map::KeyView;
  using Reservation = typename Map::Reservation;

  explicit HashSet(std::size_t capacity = 0, HashFunction hash = HashFunction(), Equal equal = Equal(),
                   const Allocator& allocator = Allocator())
      : map_(capacity, std::move(hash), std::move(equal), allocator) {}
  explicit HashSet(HashFunction hash, Equal equal = Equal(), const Allocator& allocator = Allocator())
      : HashSet(0, std::move(hash), std::move(equal), allocator) {}
  explicit HashSet(const Allocator& allocator) : HashSet(HashFunction(), Equal(), allocator) {}

  Allocator get_allocator() const noexcept { return map_.get_allocator(); }

  // O(1) each, on average.

  // False if the key is present.
  template <class Q>
  bool insert(Q&& key) {
    return map_.insert(std::forward<Q>(key), kNothing);
  }
  template <class Q>
  auto insert_async(Q&& key) {
    return map_.insert_async(std::forward<Q>(key), kNothing);
  }

  // Calls `f(KeyView)` on the present key and returns its result, or nothing if it is absent. For an `f` that returns
  // void: whether it was called.
  template <class Q, class F>
  auto read(const Q& key, F&& f) const {
    return map_.read(key, of_key(f));
  }
  template <class Q, class F>
  auto read_async(const Q& key, F f) const {
    return map_.read_async(key, of_own_key(std::move(f)));
  }

  template <class Q>
  bool contains(const Q& key) const {
    return map_.contains(key);
  }
  template <class Q>
  auto contains_async(const Q& key) const {
    return map_.contains_async(key);
  }

  // The key that was removed; nothing if it was absent.
  template <class Q>
  std::optional<K> remove(const Q& key) {
    return remove_if(key, [] { return true; });
  }
  template <class Q>
  auto remove_async(const Q& key) {
    return remove_if_async(key, [] { return true; });
  }
  // The same if `condition()`, which is asked if it is present, in one step.
  template <class Q, class Condition>
  std::optional<K> remove_if(const Q& key, Condition&& condition) {
    const ebr::Barrier barrier;
    return *take_if(key, condition, nullptr);
  }
  template <class Q, class Condition>
  auto remove_if_async(const Q& key, Condition condition) {
    return Map::awaiter(
        [this, &key, condition = std::move(condition)](const ebr::Barrier&, typename Map::Refusal& refusal) mutable {
          return take_if(key, condition, &refusal);
        });
  }

  // Puts this key in the place of the present one that is equal to it, and returns that; nothing if it is absent.
  template <class Q>
  std::optional<K> replace(Q&& key) {
    return map_.replace(std::forward<Q>(key));
  }
  template <class Q>
  auto replace_async(Q&& key) {
    return map_.replace_async(std::forward<Q>(key));
  }

  // Of all keys: O(n), not in one step. One bucket after the other is locked.

  // Calls `f(KeyView)` on each.
  template <class F>
  void scan(F&& f) const {
    map_.scan(of_key(f));
  }
  template <class F>
  auto scan_async(F f) const {
    return map_.scan_async(of_own_key(std::move(f)));
  }
  // Whether `accepts(KeyView)` some key. It is asked no further then.
  template <class Accepts>
  bool any(Accepts&& accepts) const {
    return map_.any(of_key(accepts));
  }
  template <class Accepts>
  auto any_async(Accepts accepts) const {
    return map_.any_async(of_own_key(std::move(accepts)));
  }
  // Removes each key for which `keep(KeyView)` is false. How many it kept, and how many went. What it throws, or
  // std::bad_alloc, is passed on; what has been removed before stays so.
  template <class Keep>
  std::pair<std::size_t, std::size_t> retain(Keep&& keep) {
    return map_.retain(of_key(keep));
  }
  template <class Keep>
  auto retain_async(Keep keep) {
    return map_.retain_async(of_own_key(std::move(keep)));
  }
  // How many it removed.
  std::size_t clear() { return map_.clear(); }
  auto clear_async() { return map_.clear_async(); }

  // As of a HashMap.
  std::size_t len() const noexcept { return map_.len(); }
  bool is_empty() const noexcept { return map_.is_empty(); }
  std::size_t capacity() const { return map_.capacity(); }
  std::size_t memory_usage() const { return map_.memory_usage(); }
  Reservation reserve(std::size_t keys) { return map_.reserve(keys); }

 private:
  template <class F>
  static auto of_key(F& f) {
    return [&f](KeyView key, Nothing) -> decltype(auto) { return f(key); };
  }
  template <class F>
  static auto of_own_key(F f) {
    return [f = std::move(f)](KeyView key, Nothing) mutable -> decltype(auto) { return f(key); };
  }

  template <class Q, class Condition>
  std::optional<std::optional<K>> take_if(const Q& key, Condition& condition, typename Map::Refusal* refusal) {
    const auto wanted = [&condition](Nothing) -> bool { return condition(); };
    auto taken = map_.take_if(key, wanted, refusal);
    std::optional<std::optional<K>> result;
    if (!taken) return result;
    result.emplace();
    if (*taken) result->emplace(std::move((*taken)->first));
    return result;
  }

  Map map_;
};

}  // namespace scree
