// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex: an ordered concurrent index, a B+ tree.
//
// Progress. Reads, cursors and ranges never wait for anyone and write nothing shared. Writes are lock-free unless their
// leaf must be split, merged or unlinked; then writers of that range wait, parked. Point operations are linearizable.
// Protocol and proof: docs/protocols/leaf.md.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/bound.h>
#include <scree/detail/tree_cursor.h>
#include <scree/detail/tree_structure.h>
#include <scree/ebr.h>

namespace scree {

// Keys and values that are trivially copyable and small lie in the leaves; others lie out of line, where they never
// move. Keys kept out of line must be copyable. Keys are converted to K before they are put in; what is sought is
// compared as it is, and must stand in the order where a K would. std::string keys in byte order are kept as bytes and
// shown as std::string_view. `Compare` is a strict weak order; with a transparent one (the default), any comparable
// type can be sought.
//
// References and views obtained under an ebr::Barrier stay valid until the barrier ends, also when the entry is removed
// or the index destroyed meanwhile. Strong exception guarantee throughout.
template <class K, class V, class Compare = std::less<>>
class TreeIndex {
  using Structure = detail::TreeStructure<K, V, Compare>;
  using Slots = typename Structure::Slots;
  using Slot = typename Structure::Slot;
  using Place = typename Structure::Place;
  using Leaf = typename Structure::Leaf;
  using Path = typename Structure::Path;
  using LeafWord = detail::LeafWord;

 public:
  using key_type = K;
  using mapped_type = V;
  using key_view = detail::key_view_t<K>;
  using Cursor = detail::TreeCursor<K, V, Compare>;

  explicit TreeIndex(const Compare& compare = Compare()) : structure_(compare) {}

  // O(log n) each, of an index of n entries.

  // False, with the value untouched, if the key is present.
  template <class Key, class Value>
  bool insert(const Key& key, Value&& value) {
    ebr::Barrier barrier;
    return add<false>(barrier, as_key(key), std::forward<Value>(value)).fresh;
  }

  // True if it replaced an entry; readers of that keep it.
  template <class Key, class Value>
  bool upsert(const Key& key, Value&& value) {
    ebr::Barrier barrier;
    return !add<true>(barrier, as_key(key), std::forward<Value>(value)).fresh;
  }

  // The value of `key`, constructed from `args` if it was absent, and whether it was. For values that are shared cells
  // of their own (they lie out of line).
  template <class Key, class... Args>
  std::pair<V&, bool> find_or_insert(const Key& key, const ebr::Barrier& barrier, Args&&... args) {
    static_assert(!Slots::kInlineEntry, "values in leaves are not shared cells");
    const Added added = add<false>(barrier, as_key(key), std::forward<Args>(args)...);
    return {(*added.payload)->value(), added.fresh};
  }

  template <class Query>
  bool remove(const Query& key) {
    return remove_if(key, [](const V&) { return true; });
  }

  // Removes the entry if `condition(value)`; the condition is asked again if the entry, or where it lies, changes
  // meanwhile.
  template <class Query, class Condition>
  bool remove_if(const Query& key, Condition&& condition) {
    ebr::Barrier barrier;
    const auto probe = Slots::probe(key);
    Path path;
    for (;;) {
      const auto [leaf, at] = locate(key, path);
      LeafWord word = leaf->load();
      std::optional<unsigned> mine;  // the slot that says that the base entry is gone
      decltype(Place::payload) asked = nullptr;
      for (;;) {
        const int slot = leaf->slot_of(structure_.compare(), word, at, probe);
        const Place place = leaf->place_of(word, at, slot);
        if (!place) return false;
        if (place.payload != asked && !condition(Slots::value(*place.payload))) return false;
        asked = place.payload;
        if (word.frozen()) break;
        LeafWord removed = word;
        if (slot != Leaf::kNone) {
          removed = word.without(static_cast<unsigned>(slot));
          if (at.exact) removed = removed.with_gone(static_cast<unsigned>(slot));
        } else if (mine) {
          removed = word.with_gone(*mine);
        } else {
          if (!leaf->has_room(word)) break;
          const unsigned reserved = word.handed_out();
          if (!leaf->replace_word(word, word.with_slot_handed_out())) continue;  // L2
          leaf->write(reserved, at);                                             // L3
          word = word.with_slot_handed_out();
          mine = reserved;
          continue;
        }
        if (leaf->replace_word(word, removed)) {  // L4
          structure_.retire_entry(barrier, path, leaf, slot, place, probe);
          structure_.shrink(barrier, path, leaf, removed, probe);
          return true;
        }
      }
      structure_.make_room(barrier, path, leaf, probe);
    }
  }

  // Calls `f(key, value)` if the key is present. Returns its result as an optional; or, if that is void, whether it was
  // called.
  template <class Query, class F>
  auto read(const Query& key, F&& f) const {
    using Result = std::invoke_result_t<F, key_view, const V&>;
    ebr::Barrier barrier;
    const Place place = find(key);
    if constexpr (std::is_void_v<Result>) {
      if (place) std::forward<F>(f)(Slots::key(place), Slots::value(*place.payload));
      return static_cast<bool>(place);
    } else {
      using Value = std::decay_t<Result>;
      return place ? std::optional<Value>(std::forward<F>(f)(Slots::key(place), Slots::value(*place.payload)))
                   : std::optional<Value>();
    }
  }

  // Calls `f(i, key, value)` for each keys[i] that is present; returns how many are. Each is a read() of its own, in no
  // order; but they go down the tree together, so that the time for what is not in the cache is not added up.
  template <class Query, class F>
  std::size_t read_batch(std::span<const Query> keys, F&& f) const {
    ebr::Barrier barrier;
    std::size_t found = 0;
    for (std::size_t begin = 0; begin < keys.size(); begin += Structure::kTogether) {
      const std::size_t n = std::min(Structure::kTogether, keys.size() - begin);
      std::array<Place, Structure::kTogether> places;
      detail::with_vectors([&](auto how) {
        const auto probe_of = [&](const Query& key) { return Slots::probe(key, how); };
        std::array<Leaf*, Structure::kTogether> leaves;
        structure_.descend_together(&keys[begin], n, probe_of, leaves.data());
        for (std::size_t i = 0; i < n; ++i) {
          places[i] = find_in(leaves[i], probe_of(keys[begin + i]));
          if constexpr (!Slots::kInlineEntry) {
            if (places[i]) __builtin_prefetch(*places[i].payload);
          }
        }
      });
      for (std::size_t i = 0; i < n; ++i) {
        if (!places[i]) continue;
        ++found;
        f(begin + i, Slots::key(places[i]), Slots::value(*places[i].payload));
      }
    }
    return found;
  }

  // The value, valid until the barrier ends; null if absent.
  template <class Query>
  const V* peek(const Query& key, const ebr::Barrier&) const {
    const Place place = find(key);
    return place ? &Slots::value(*place.payload) : nullptr;
  }

  template <class Query>
  bool contains(const Query& key) const {
    ebr::Barrier barrier;
    return static_cast<bool>(find(key));
  }

  // O(n): counts the entries as an iteration sees them.
  std::size_t len() const {
    ebr::Barrier barrier;
    std::size_t n = 0;
    Cursor c = cursor(barrier);
    for (c.seek_to_first(); c.valid(); c.next()) ++n;
    return n;
  }
  bool is_empty() const {
    ebr::Barrier barrier;
    Cursor c = cursor(barrier);
    c.seek_to_first();
    return !c.valid();
  }
  // Levels of nodes from the root to the leaves.
  std::size_t depth() const {
    ebr::Barrier barrier;
    return structure_.tree()->root.load(memory_order_acquire)->level + std::size_t{1};
  }

  // O(1); what was in the index is freed when no barrier can reach it.
  void clear() {
    ebr::Barrier barrier;
    structure_.clear(barrier);
  }

  // A position that moves both ways; unpositioned until its first seek. An entry present from the seek to the end of
  // the walk is visited exactly once, in order; one inserted or removed meanwhile at most once.
  Cursor cursor(const ebr::Barrier& barrier) const { return Cursor(structure_, barrier); }

  template <class Upper>
  class Range;

  // For range-for: pairs of key and reference to value, ascending.
  auto iter(const ebr::Barrier& barrier) const { return range(unbounded, unbounded, barrier); }

  // The entries between two bounds: included(key), excluded(key) or unbounded. Empty if they enclose nothing.
  template <class Lower, class Upper>
  auto range(const Lower& lower, Upper upper, const ebr::Barrier& barrier) const {
    Cursor c = cursor(barrier);
    if constexpr (std::is_same_v<Lower, Unbounded>) {
      c.seek_to_first();
    } else if (lower.kind == BoundKind::kUnbounded) {
      c.seek_to_first();
    } else {
      c.seek(lower.key);
      if (lower.kind == BoundKind::kExcluded && c.valid() && !structure_.compare()(lower.key, c.key())) c.next();
    }
    return Range<Upper>(structure_.compare(), std::move(c), std::move(upper));
  }

  template <class Upper>
  class Range {
   public:
    class Iterator {
     public:
      using iterator_category = std::input_iterator_tag;
      using value_type = std::pair<key_view, const V&>;
      using difference_type = std::ptrdiff_t;
      using pointer = void;
      using reference = value_type;

      explicit Iterator(Range* range) : range_(range) {}
      value_type operator*() const { return {range_->cursor_.key(), range_->cursor_.value()}; }
      Iterator& operator++() {
        range_->cursor_.next();
        return *this;
      }
      void operator++(int) { ++*this; }
      bool operator==(std::default_sentinel_t) const { return range_->at_end(); }

     private:
      Range* range_;
    };

    // Single pass.
    Iterator begin() { return Iterator(this); }
    std::default_sentinel_t end() const noexcept { return {}; }

   private:
    friend class TreeIndex;
    Range(const Compare& compare, Cursor cursor, Upper upper)
        : compare_(&compare), cursor_(std::move(cursor)), upper_(std::move(upper)) {}

    bool at_end() const {
      if (!cursor_.valid()) return true;
      if constexpr (std::is_same_v<Upper, Unbounded>) {
        return false;
      } else {
        switch (upper_.kind) {
          case BoundKind::kIncluded:
            return (*compare_)(upper_.key, cursor_.key());
          case BoundKind::kExcluded:
            return !(*compare_)(cursor_.key(), upper_.key);
          default:
            return false;
        }
      }
    }

    const Compare* compare_;
    Cursor cursor_;
    Upper upper_;
  };

 private:
  // What will be stored is what is sought: a conversion may change a key's place in the order.
  template <class Key>
  static decltype(auto) as_key(const Key& key) {
    if constexpr (Slots::kInlineKey && !std::is_same_v<Key, K>) {
      return static_cast<K>(key);
    } else {
      return static_cast<const Key&>(key);
    }
  }

  struct Located {
    Leaf* leaf;
    detail::LeafPosition at;
  };
  template <class Query>
  Located locate(const Query& key, Path& path) const {
    return detail::with_vectors([&](auto how) {
      const auto probe = Slots::probe(key, how);
      Leaf* const leaf = structure_.descend(probe, path)->current();
      return Located{leaf, leaf->locate(structure_.compare(), probe)};
    });
  }

  template <class Query>
  Place find(const Query& key) const {
    return detail::with_vectors([&](auto how) {
      const auto probe = Slots::probe(key, how);
      return find_in(structure_.descend(probe), probe);
    });
  }
  template <class Probe>
  Place find_in(const Leaf* leaf, const Probe& probe) const {
    for (;;) {
      const detail::LeafPosition at = leaf->locate(structure_.compare(), probe);
      const LeafWord word = leaf->load();
      const Leaf* const copy = word.frozen() ? leaf->copy() : nullptr;
      if (copy == nullptr) {
        return leaf->place_of(word, at, leaf->slot_of(structure_.compare(), word, at, probe));
      }
      leaf = copy;
    }
  }

  // What goes into a slot, made at most once; an entry that was not published gives its value back to the argument.
  template <class Key, class... Args>
  class Prepared {
   public:
    Prepared(const Key& key, std::tuple<Args&&...>& args) : key_(key), args_(args) {}
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
    ~Prepared() {
      if constexpr (!Slots::kInlineEntry) {
        if (entry_ == nullptr) return;
        if constexpr (sizeof...(Args) == 1) entry_->give_back(key_, std::get<0>(std::move(args_)));
        Slots::EntryType::destroy(entry_);
      }
    }

    template <class Probe>
    Slot slot([[maybe_unused]] const Probe& probe) {
      if constexpr (Slots::kInlineEntry) {
        return std::apply([&](auto&&... args) { return Slot{static_cast<K>(key_), V(args...)}; }, args_);
      } else {
        if (entry_ == nullptr) {
          entry_ = std::apply([&](auto&&... args) { return Slots::EntryType::make(key_, std::forward<Args>(args)...); },
                              args_);
        }
        if constexpr (Slots::kInlineKey) {
          return Slot{entry_->key(), entry_};
        } else if constexpr (Slots::kBytes) {
          return Slot{probe.head, entry_};
        } else {
          return Slot{{}, entry_};
        }
      }
    }
    void published() noexcept {
      if constexpr (!Slots::kInlineEntry) entry_ = nullptr;
    }

   private:
    const Key& key_;  // copied, never moved from: it is needed to search again
    std::tuple<Args&&...>& args_;
    typename Slots::EntryType* entry_ = nullptr;
  };

  struct Added {
    const Plain<typename Slots::Payload>* payload;
    bool fresh;  // there was no entry of this key
  };

  // L1-L4. The payload of the key: what was there (not replacing) or what was added.
  template <bool Replace, class Key, class... Args>
  Added add(const ebr::Barrier& barrier, const Key& key, Args&&... args) {
    const auto probe = Slots::probe(key);
    std::tuple<Args&&...> arguments(std::forward<Args>(args)...);
    Prepared<Key, Args...> prepared(key, arguments);
    Path path;
    for (;;) {
      const auto [leaf, at] = locate(key, path);  // L1
      LeafWord word = leaf->load();
      std::optional<unsigned> mine;
      for (;;) {
        const int slot = leaf->slot_of(structure_.compare(), word, at, probe);
        const Place place = leaf->place_of(word, at, slot);
        if (!Replace && place) return {place.payload, false};
        if (word.frozen()) break;
        if (!mine) {
          if (!leaf->has_room(word)) break;
          const Slot content = prepared.slot(probe);
          const unsigned reserved = word.handed_out();
          if (!leaf->replace_word(word, word.with_slot_handed_out())) continue;  // L2
          leaf->write(reserved, at, content);                                    // L3
          SCREE_SYNC_POINT("tree:insert:written");
          word = word.with_slot_handed_out();
          mine = reserved;
          continue;
        }
        const LeafWord added =
            (slot == Leaf::kNone ? word : word.without(static_cast<unsigned>(slot))).with_live(*mine);
        if (leaf->replace_word(word, added)) {  // L4
          prepared.published();
          if (place) structure_.retire_entry(barrier, path, leaf, slot, place, probe);
          return {leaf->slot_place(*mine).payload, !place};
        }
      }
      structure_.make_room(barrier, path, leaf, probe);
    }
  }

  Structure structure_;
};

}  // namespace scree
