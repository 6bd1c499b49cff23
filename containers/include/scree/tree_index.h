// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex: an ordered concurrent index, a B+ tree.
//
// Progress. Reads, cursors and ranges never wait for anyone and write nothing shared. Writes are lock-free unless a
// leaf must be split, compacted or unlinked; then writers of that range wait, parked. Point operations are
// linearizable. Protocol and proof: docs/protocols/leaf.md. The order word of a leaf follows Y. Mao, E. Kohler, R.
// Morris, "Cache craftiness for fast multicore key-value storage" (EuroSys 2012).

#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <scree/bound.h>
#include <scree/detail/tree_cursor.h>
#include <scree/detail/tree_structure.h>
#include <scree/ebr.h>

namespace scree {

// Keys and values that are trivially copyable and small lie in the leaves; others lie out of line, where they never
// move. Keys kept out of line must be copyable. std::string keys in byte order are kept as bytes and shown as
// std::string_view. `Compare` is a strict weak order; with a transparent one (the default), any comparable type can be
// sought.
//
// References and views obtained under an ebr::Barrier stay valid until the barrier ends, also when the entry is removed
// or the index destroyed meanwhile. Strong exception guarantee throughout.
template <class K, class V, class Compare = std::less<>>
class TreeIndex {
  using Structure = detail::TreeStructure<K, V, Compare>;
  using Slots = typename Structure::Slots;
  using Slot = typename Structure::Slot;
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
    return add<false>(barrier, key, std::forward<Value>(value)).fresh;
  }

  // True if it replaced an entry; readers of that keep it.
  template <class Key, class Value>
  bool upsert(const Key& key, Value&& value) {
    ebr::Barrier barrier;
    return !add<true>(barrier, key, std::forward<Value>(value)).fresh;
  }

  // The value of `key`, constructed from `args` if it was absent, and whether it was. For values that are shared cells
  // of their own (they lie out of line).
  template <class Key, class... Args>
  std::pair<V&, bool> find_or_insert(const Key& key, const ebr::Barrier& barrier, Args&&... args) {
    static_assert(!Slots::kInlineEntry, "values in leaves are not shared cells");
    const Added added = add<false>(barrier, key, std::forward<Args>(args)...);
    return {added.slot.entry->value(), added.fresh};
  }

  template <class Query>
  bool remove(const Query& key) {
    return remove_if(key, [](const V&) { return true; });
  }

  // Removes the entry if `condition(value)`; the condition may be asked again if the entry changes meanwhile.
  template <class Query, class Condition>
  bool remove_if(const Query& key, Condition&& condition) {
    ebr::Barrier barrier;
    const auto probe = Slots::probe(key);
    Path path;
    for (;;) {
      Leaf* leaf = structure_.descend(probe, &path);
      LeafWord word = leaf->load();
      for (;;) {
        const unsigned rank = leaf->rank_of(structure_.compare(), word, probe);
        if (!leaf->matches(structure_.compare(), word, rank, probe)) return false;
        if (word.frozen()) break;
        const Slot slot = leaf->at(word, rank);
        if (!condition(Slots::value(leaf->at(word, rank)))) return false;
        const LeafWord removed = word.with_removed(rank);  // L4
        if (replace_word(*leaf, word, removed)) {
          Slots::retire_entry(barrier, slot);
          if (removed.live() == 0) structure_.unlink_if_empty(barrier, path, leaf, probe);
          return true;
        }
      }
      Structure::await_change(path);
    }
  }

  // Calls `f(key, value)` if the key is present. Returns its result as an optional; or, if that is void, whether it was
  // called.
  template <class Query, class F>
  auto read(const Query& key, F&& f) const {
    using Result = std::invoke_result_t<F, key_view, const V&>;
    ebr::Barrier barrier;
    const Slot* slot = find(key);
    if constexpr (std::is_void_v<Result>) {
      if (slot != nullptr) std::forward<F>(f)(Slots::key(*slot), Slots::value(*slot));
      return slot != nullptr;
    } else {
      using Value = std::decay_t<Result>;
      return slot == nullptr ? std::optional<Value>()
                             : std::optional<Value>(std::forward<F>(f)(Slots::key(*slot), Slots::value(*slot)));
    }
  }

  // The value, valid until the barrier ends; null if absent.
  template <class Query>
  const V* peek(const Query& key, const ebr::Barrier&) const {
    const Slot* slot = find(key);
    return slot == nullptr ? nullptr : &Slots::value(*slot);
  }

  template <class Query>
  bool contains(const Query& key) const {
    ebr::Barrier barrier;
    return find(key) != nullptr;
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
    return structure_.root()->level + std::size_t{1};
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
  template <class Query>
  const Slot* find(const Query& key) const {
    const auto probe = Slots::probe(key);
    const Leaf* leaf = structure_.descend(probe);
    const LeafWord word = leaf->load();
    const unsigned rank = leaf->rank_of(structure_.compare(), word, probe);
    return leaf->matches(structure_.compare(), word, rank, probe) ? &leaf->at(word, rank) : nullptr;
  }

  // On failure `word` becomes the present state.
  static bool replace_word(Leaf& leaf, LeafWord& word, LeafWord desired) noexcept {
    std::uint64_t bits = word.bits();
    if (leaf.word.compare_exchange_strong(bits, desired.bits(), memory_order_acq_rel, memory_order_acquire)) {
      return true;
    }
    word = LeafWord(bits);
    return false;
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
          return Slot{entry_};
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
    Slot slot;
    bool fresh;  // there was no entry of this key
  };

  // L1-L4. The slot of the key: what was there (not replacing) or what was added.
  template <bool Replace, class Key, class... Args>
  Added add(const ebr::Barrier& barrier, const Key& key, Args&&... args) {
    const auto probe = Slots::probe(key);
    std::tuple<Args&&...> arguments(std::forward<Args>(args)...);
    Prepared<Key, Args...> prepared(key, arguments);
    Path path;
    for (;;) {
      Leaf* leaf = structure_.descend(probe, &path);  // L1
      LeafWord word = leaf->load();
      for (;;) {
        const unsigned rank = leaf->rank_of(structure_.compare(), word, probe);
        if (!Replace && leaf->matches(structure_.compare(), word, rank, probe)) return {leaf->at(word, rank), false};
        if (word.frozen()) {
          Structure::await_change(path);
          break;
        }
        if (word.full()) {
          structure_.make_room(barrier, path, leaf, probe);
          break;
        }
        const Slot slot = prepared.slot(probe);
        const unsigned mine = word.handed_out();
        if (!replace_word(*leaf, word, word.with_slot_handed_out())) continue;  // L2
        leaf->slots[mine].slot = slot;                                          // L3
        SCREE_SYNC_POINT("tree:insert:written");
        word = word.with_slot_handed_out();
        if (std::optional<Added> added = publish<Replace>(barrier, *leaf, word, mine, slot, probe)) {
          if (Replace || added->fresh) prepared.published();
          return *added;
        }
        Structure::await_change(path);
        break;
      }
    }
  }

  // L4. Puts slot number `mine` into the order of the leaf, whose state `word` was. Nothing if the leaf got frozen.
  template <bool Replace, class Probe>
  std::optional<Added> publish(const ebr::Barrier& barrier, Leaf& leaf, LeafWord word, unsigned mine, const Slot& slot,
                               const Probe& probe) {
    for (;;) {
      const unsigned rank = leaf.rank_of(structure_.compare(), word, probe);
      if (leaf.matches(structure_.compare(), word, rank, probe)) {
        const Slot old = leaf.at(word, rank);
        if (!Replace) return Added{old, false};
        if (replace_word(leaf, word, word.with_replaced(rank, mine))) {
          Slots::retire_entry(barrier, old);
          return Added{slot, false};
        }
      } else if (replace_word(leaf, word, word.with_inserted(rank, mine))) {
        return Added{slot, true};
      }
      if (word.frozen()) return std::nullopt;
    }
  }

  Structure structure_;
};

}  // namespace scree
