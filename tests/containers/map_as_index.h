// SPDX-License-Identifier: Apache-2.0
//
// A HashMap with the operations of the indexes, for the checks that were written for those.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/hash_map.h>

namespace scree::test {

template <class K, class V, class HashFunction = Hash<K>, class Equal = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class MapAsIndex {
 public:
  using Map = HashMap<K, V, HashFunction, Equal, Allocator>;
  using mapped_type = V;

  template <class... Args>
  explicit MapAsIndex(Args&&... args) : map_(std::forward<Args>(args)...) {}

  Map& map() noexcept { return map_; }

  template <class Q, class Value>
  bool insert(Q&& key, Value&& value) {
    return map_.insert(std::forward<Q>(key), std::forward<Value>(value));
  }
  template <class Q, class Value>
  bool upsert(Q&& key, Value&& value) {
    return map_.upsert(
        std::forward<Q>(key), [&]() -> Value&& { return std::forward<Value>(value); },
        [&](V& present) {
          if constexpr (std::is_assignable_v<V&, Value>) {
            present = std::forward<Value>(value);
          } else {
            std::destroy_at(&present);
            std::construct_at(&present, std::forward<Value>(value));
          }
        });
  }
  template <class Q, class F>
  bool update(const Q& key, F&& f) {
    return map_.update(key, [&](V& value) { value = f(std::as_const(value)); });
  }
  template <class Q>
  bool remove(const Q& key) {
    return map_.remove(key).has_value();
  }
  template <class Q, class Condition>
  bool remove_if(const Q& key, Condition&& condition) {
    return map_.remove_if(key, std::forward<Condition>(condition)).has_value();
  }
  template <class Q, class F>
  auto read(const Q& key, F&& f) const {
    return map_.read(key, std::forward<F>(f));
  }
  template <class Q>
  bool contains(const Q& key) const {
    return map_.contains(key);
  }
  // A copy of the value, where that cannot fail, and whether it was inserted.
  template <class Q, class... Args>
  std::pair<std::conditional_t<std::is_nothrow_copy_constructible_v<V>, V, const V&>, bool> find_or_insert(
      Q&& key, const ebr::Barrier&, Args&&... args) {
    auto entry = map_.entry(std::forward<Q>(key));
    const bool present = entry.is_occupied();
    return {entry.or_insert(std::forward<Args>(args)...), !present};
  }
  template <class Key>
  auto try_entry(Key&& key) {
    return map_.try_entry(std::forward<Key>(key));
  }
  // Of copies.
  std::vector<std::pair<K, V>> iter(const ebr::Barrier&) const {
    std::vector<std::pair<K, V>> entries;
    map_.scan([&](const auto& key, const V& value) { entries.emplace_back(K(key), value); });
    return entries;
  }
  template <class Keep>
  auto retain(Keep&& keep) {
    return map_.retain(std::forward<Keep>(keep));
  }
  std::size_t clear() { return map_.clear(); }
  std::size_t len() const noexcept { return map_.len(); }
  bool is_empty() const noexcept { return map_.is_empty(); }
  std::size_t capacity() const { return map_.capacity(); }
  std::size_t memory_usage() const { return map_.memory_usage() - sizeof(Map) + sizeof(*this); }
  [[nodiscard]] auto reserve(std::size_t entries) { return map_.reserve(entries); }

 private:
  Map map_;
};

}  // namespace scree::test
