// SPDX-License-Identifier: Apache-2.0
//
// TreeEntry: an optimistic handle of one key's place in a TreeIndex, whether there is an entry or none. Made by
// TreeIndex::entry().
//
// It locks nothing and holds up nobody. It shows what was there when it last looked, and each of its changes is made
// only if that is still so, in one atomic step; else nothing changes, and it shows what is there now. So a change that
// depends on what is there is a loop:
//
//   for (auto entry = index.entry(key, barrier); entry.is_occupied() && entry.value().version == seen;) {
//     if (entry.replace(next)) return true;
//   }
//   return false;  // there is another version
//
// "Still so" is about the entry, where keys or values lie out of line: one that was replaced by an equal one is
// another. Where both lie in the leaves, it is about the value, byte by byte, as of std::atomic's compare_exchange:
// it may have been another meanwhile, and padding within a value counts.

#pragma once

#include <cassert>
#include <type_traits>
#include <utility>

#include <scree/detail/tree_draft.h>
#include <scree/detail/tree_writer.h>
#include <scree/ebr.h>

namespace scree {

// For one thread, under the barrier that it was made with; that outlives it, and so does a key that was given as an
// lvalue. What it shows stays valid until the barrier ends.
//
// Changes are linearizable and lock-free as those of the index; O(1) where nothing has changed since the handle looked,
// else O(log n). Strong exception guarantee: the index holds what it held, and the handle shows what it showed.
template <class Slots, class Key>
class TreeEntry {
  using Structure = detail::TreeStructure<Slots>;
  using K = typename Slots::Key;
  using V = typename Slots::Value;
  using Place = typename Structure::Place;
  using Stored = std::conditional_t<
      detail::kFitsInline<K>, const K,
      std::conditional_t<std::is_lvalue_reference_v<Key>, const std::remove_reference_t<Key>&, const Key>>;
  using StoredKey = std::remove_cvref_t<Stored>;

 public:
  // Of an index. O(log n).
  TreeEntry(Structure& structure, Key&& key, const ebr::Barrier& barrier)
      : key_(static_cast<Stored>(std::forward<Key>(key))), writer_(structure, barrier) {
    writer_.seek(probe_);
  }
  TreeEntry(const TreeEntry&) = delete;
  TreeEntry& operator=(const TreeEntry&) = delete;

  bool is_occupied() const noexcept { return static_cast<bool>(writer_.place()); }
  // Require is_occupied().
  detail::key_view_t<K> key() const noexcept {
    assert(is_occupied());
    return Slots::key(writer_.place());
  }
  detail::value_view_t<V> value() const noexcept {
    assert(is_occupied());
    return Slots::value(*writer_.place().payload);
  }

  // The value shown; where there is none, that of an entry constructed from `args`, or of one that came in between.
  // Several `args` may have been consumed then; a single one stays.
  template <class... Args>
  detail::value_view_t<V> or_insert(Args&&... args) {
    if (is_occupied()) return value();
    writer_.resume(probe_);
    detail::TreeOffer<Slots, Args...> offer(std::forward<Args>(args)...);
    while (!is_occupied()) {
      if (writer_.put(probe_, offer.content(writer_.memory(), probe_, key_))) offer.published();
    }
    return value();
  }

  // Puts the value in the stead of the one shown; where there is none, inserts it. False, with the value untouched, if
  // something else is there.
  template <class Value>
  bool replace(Value&& value) {
    detail::TreeOffer<Slots, Value> offer(std::forward<Value>(value));
    if (!if_unchanged([&] { return writer_.put(probe_, offer.content(writer_.memory(), probe_, key_)); })) return false;
    offer.published();
    return true;
  }

  // Removes the entry shown. False if there is none, or something else by now.
  bool remove() {
    return is_occupied() && if_unchanged([&] { return writer_.take(probe_); });
  }

  // Replaces the value by `f(value)`, asked again of whatever is there by then; nothing where there is none. What `f`
  // throws is passed on, with nothing changed.
  template <class F>
  TreeEntry& and_modify(F&& f) {
    while (is_occupied()) {
      if constexpr (std::is_same_v<V, Bytes>) {
        if (replace(f(value()))) break;
      } else {
        if (replace(V(f(value())))) break;
      }
    }
    return *this;
  }

 private:
  // Tries while there is what is shown.
  template <class Try>
  bool if_unchanged(Try&& attempt) {
    const Place shown = writer_.place();
    for (writer_.resume(probe_); Slots::same(shown, writer_.place());) {
      if (attempt()) return true;
    }
    return false;
  }

  Stored key_;
  const decltype(Slots::probe(std::declval<const StoredKey&>())) probe_ = Slots::probe(key_);
  detail::TreeWriter<Slots> writer_;
};

}  // namespace scree
