// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex: an ordered concurrent index, a B+ tree.
//
// Progress. Reads, cursors and ranges never wait for anyone and write nothing shared. Writes are lock-free unless their
// leaf must be split, merged or unlinked; then writers of that range wait, parked. Operations on one key and pops are
// linearizable. Protocol and proof: docs/protocols/leaf.md.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/bound.h>
#include <scree/detail/retry_awaiter.h>
#include <scree/detail/tree_cursor.h>
#include <scree/detail/tree_draft.h>
#include <scree/detail/tree_range.h>
#include <scree/detail/tree_range_removal.h>
#include <scree/detail/tree_structure.h>
#include <scree/detail/tree_writer.h>
#include <scree/ebr.h>
#include <scree/tree_entry.h>

namespace scree {

// Keys and values that are trivially copyable and of at most 16 bytes lie in the leaves; others lie out of line, where
// they never move. Keys kept out of line must be copyable. Keys are converted to K before they are put in; what is
// sought is compared as it is, and must stand in the order where a K would. std::string keys in byte order are kept as
// bytes and shown as std::string_view; so are values of the type Bytes (bytes.h). `Compare` is a strict weak order;
// with a transparent one (the default), any comparable type can be sought.
//
// References and views obtained under an ebr::Barrier stay valid until the barrier ends, also when the entry is removed
// or the index destroyed meanwhile. Strong exception guarantee throughout: also what a function that is passed in
// throws is passed on, with nothing changed.
//
// All memory that belongs to the index is of the allocator: nodes and entries, not what keys and values own themselves,
// which are constructed without it; nor what reclamation needs, coroutines that wait, or assign_sorted for the time of
// its call. It is used by any thread, by several at once, and copies of it are equal. What has been retired is freed to
// it later, by whatever thread, also when the index is gone. So what it refers to lives until all that has been freed,
// as it is after `while (ebr::collect()) {}` outside barriers if no barrier of another thread holds it back. Where it
// has state, a copy lies behind each block; memory_usage() counts that. With std::allocator, all of it comes from an
// arena of the process's and caches of threads (block_arena.h).
template <class K, class V, class Compare = std::less<>, class Allocator = std::allocator<std::pair<const K, V>>>
class TreeIndex {
  using Memory = detail::memory_of_t<Allocator>;
  using Slots = detail::TreeSlots<K, V, Compare, Memory>;
  using Structure = detail::TreeStructure<Slots>;
  using Place = typename Structure::Place;
  using Leaf = typename Structure::Leaf;
  using LeafWord = detail::LeafWord;
  using Writer = detail::TreeWriter<Slots>;
  static constexpr bool kHasDistances = std::is_arithmetic_v<K> && !std::is_same_v<K, bool> &&
                                        (std::is_same_v<Compare, std::less<>> || std::is_same_v<Compare, std::less<K>>);

 public:
  using key_type = K;
  using mapped_type = V;
  using allocator_type = Allocator;
  using key_view = detail::key_view_t<K>;
  using value_view = detail::value_view_t<V>;
  using reference = std::pair<key_view, value_view>;  // an entry as it is shown
  using Cursor = detail::TreeCursor<Slots>;
  template <class Key>
  using Entry = TreeEntry<Slots, Key>;

  explicit TreeIndex(const Compare& compare = Compare(), const Allocator& allocator = Allocator())
      : structure_(compare, Memory(typename Memory::Allocator(allocator))) {}
  explicit TreeIndex(const Allocator& allocator) : TreeIndex(Compare(), allocator) {}

  Allocator get_allocator() const noexcept { return Allocator(structure_.memory().allocator()); }

  // O(log n) each, of an index of n entries. Of those that may wait there is one for coroutines, NAME_async(): to be
  // awaited where it is called, as it refers to its arguments, outside barriers (retry_awaiter.h). A function that is
  // passed to one is called within a barrier; after a wait it is asked again.

  // False, with the value untouched, if the key is present.
  template <class Key, class Value>
  bool insert(const Key& key, Value&& value) {
    return add_now<false>(key, std::forward<Value>(value));
  }
  template <class Key, class Value>
  auto insert_async(const Key& key, Value&& value) {
    return add_async<false>(key, std::forward<Value>(value));
  }

  // True if it replaced an entry; readers of that keep it.
  template <class Key, class Value>
  bool upsert(const Key& key, Value&& value) {
    return add_now<true>(key, std::forward<Value>(value));
  }
  template <class Key, class Value>
  auto upsert_async(const Key& key, Value&& value) {
    return add_async<true>(key, std::forward<Value>(value));
  }

  // The value of `key`, constructed from `args` if it was absent, and whether it was. For values that are shared cells
  // of their own (they lie out of line).
  template <class Key, class... Args>
  std::pair<V&, bool> find_or_insert(const Key& key, const ebr::Barrier& barrier, Args&&... args) {
    static_assert(!Slots::kInlineValue && !std::is_same_v<V, Bytes>,
                  "values in leaves, and bytes, are not shared cells");
    Writer writer(structure_, barrier);
    Offer<Args...> offer(std::forward<Args>(args)...);
    const Added added = add<false>(writer, detail::stored_key<K>(key), offer);
    return {(*added.payload)->value(), added.fresh};
  }

  template <class Query>
  bool remove(const Query& key) {
    return remove_if(key, &always);
  }
  template <class Query>
  auto remove_async(const Query& key) {
    return remove_if_async(key, &always);
  }

  // Removes the entry if `condition(value)`; the condition is asked again if the entry changes meanwhile.
  template <class Query, class Condition>
  bool remove_if(const Query& key, Condition&& condition) {
    ebr::Barrier barrier;
    Writer writer(structure_, barrier);
    return *take_if(writer, key, condition);
  }
  template <class Query, class Condition>
  auto remove_if_async(const Query& key, Condition condition) {
    return awaiter([this, &key, condition = std::move(condition)](Writer& writer) mutable {
      return take_if(writer, key, condition);
    });
  }

  // Replaces the value by `f(value)`, in one atomic step; `f` is asked again if the entry changes meanwhile. False if
  // the key is absent. Readers keep the old entry.
  template <class Query, class F>
  bool update(const Query& key, F&& f) {
    ebr::Barrier barrier;
    Writer writer(structure_, barrier);
    return *modify(writer, key, f);
  }
  template <class Query, class F>
  auto update_async(const Query& key, F f) {
    return awaiter([this, &key, f = std::move(f)](Writer& writer) mutable { return modify(writer, key, f); });
  }

  // The key's place, whether there is an entry or none, to look at and then to change if it is still as it was
  // (tree_entry.h).
  template <class Key>
  Entry<Key> entry(Key&& key, const ebr::Barrier& barrier) {
    return Entry<Key>(structure_, std::forward<Key>(key), barrier);
  }

  // Removes the entry with the least key, or the greatest. It shows what was removed, until the barrier ends; nothing
  // if the index was empty. O(log n). Where a leaf at the end of the tree becomes empty, it waits as other removals do.
  std::optional<reference> pop_first(const ebr::Barrier& barrier) { return pop(barrier, {.above_all = false}); }
  std::optional<reference> pop_last(const ebr::Barrier& barrier) { return pop(barrier, {.above_all = true}); }
  // These call `f(key, value)` with what was removed, if anything was: then the result is true. What `f` throws is
  // passed on; the entry is gone all the same.
  template <class F>
  auto pop_first_async(F f) {
    return pop_async({.above_all = false}, std::move(f));
  }
  template <class F>
  auto pop_last_async(F f) {
    return pop_async({.above_all = true}, std::move(f));
  }

  // Calls `f(key, value)` if the key is present. Returns its result as an optional, a copy where it is a reference; or,
  // if that is void, whether it was called.
  template <class Query, class F>
  auto read(const Query& key, F&& f) const {
    ebr::Barrier barrier;
    return read_with(key, barrier, std::forward<F>(f));
  }
  // The same; what `f` returns may refer to key and value, which stay valid until the barrier ends.
  template <class Query, class F>
  auto read_with(const Query& key, const ebr::Barrier&, F&& f) const {
    using Result = std::invoke_result_t<F, key_view, value_view>;
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
      detail::with_vectors<Slots::kHasNumbers>([&](auto how) {
        const auto probe_of = [&](const Query& key) { return Slots::probe(key, how); };
        std::array<Leaf*, Structure::kTogether> leaves;
        structure_.descend_together(&keys[begin], n, probe_of, leaves.data());
        for (std::size_t i = 0; i < n; ++i) {
          places[i] = find_in(leaves[i], probe_of(keys[begin + i]));
          if constexpr (!Slots::kInlineEntry) {
            if (places[i]) __builtin_prefetch(Slots::entry_of(*places[i].payload));
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

  // The value, valid until the barrier ends: a pointer, null if absent; of Bytes, an optional view.
  template <class Query>
  auto peek(const Query& key, const ebr::Barrier&) const {
    const Place place = find(key);
    if constexpr (std::is_same_v<V, Bytes>) {
      return place ? std::optional(Slots::value(*place.payload)) : std::nullopt;
    } else {
      return place ? &Slots::value(*place.payload) : nullptr;
    }
  }
  // The same of the whole entry.
  template <class Query>
  std::optional<reference> peek_entry(const Query& key, const ebr::Barrier&) const {
    return shown(find(key));
  }

  template <class Query>
  bool contains(const Query& key) const {
    ebr::Barrier barrier;
    return static_cast<bool>(find(key));
  }

  // O(1). Exact while nobody writes; beside writers it may miss some of what they are doing.
  std::size_t len() const {
    ebr::Barrier barrier;
    return structure_.tree()->counters.entries();
  }
  // The same of the bytes of what belongs to the index, as they were allocated: nodes, separators, entries with their
  // keys. Not what keys and values own themselves, and not what waits for reclamation, which ebr::stats() tells.
  std::size_t memory_usage() const {
    ebr::Barrier barrier;
    return Structure::Tree::bytes() + structure_.tree()->counters.bytes();
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
    structure_.replace(barrier, typename Structure::Builder(structure_).finish());
  }

  // Replaces everything by a sequence of pairs, or of what else has a key as get<0> and a value as get<1>. It is read
  // once, and built aside at O(1) for each entry; then it takes the place of what was there in one step, as by clear().
  // Throws std::invalid_argument if its keys do not ascend, each above the one before. Whatever is thrown, the index is
  // as it was; values that were moved out of the sequence are gone.
  template <class Iterator, class Sentinel>
  void assign_sorted(Iterator first, Sentinel last) {
    typename Structure::Builder builder(structure_);
    for (; first != last; ++first) {
      using std::get;
      auto&& entry = *first;
      append(builder, detail::stored_key<K>(get<0>(entry)), get<1>(std::forward<decltype(entry)>(entry)));
    }
    auto fresh = builder.finish();
    ebr::Barrier barrier;
    structure_.replace(barrier, std::move(fresh));
  }
  template <class Entries>
  void assign_sorted(Entries&& entries) {
    assign_sorted(std::ranges::begin(entries), std::ranges::end(entries));
  }
  template <class Entries>
  static TreeIndex from_sorted(Entries&& entries, const Compare& compare = Compare(),
                               const Allocator& allocator = Allocator()) {
    return TreeIndex(entries, compare, allocator);
  }

  // Removes the entries between two bounds, as of range(); returns how many. An entry present throughout is removed,
  // one inserted meanwhile perhaps, and none twice of one key. Each goes in one atomic step, those of a whole leaf or
  // several together, but not all at one moment. If anything throws, some may have been removed. No reclamation is held
  // back for longer than a few leaves take. O(log n) for each entry at most, and for whole leaves far less.
  template <class Lower, class Upper>
  std::size_t remove_range(const Lower& lower, const Upper& upper) {
    Removal<Lower, Upper> removal(structure_, lower, upper);
    for (bool more = true; more;) {
      const ebr::Barrier barrier;
      more = removal.go_on(barrier, nullptr);
    }
    return removal.removed();
  }
  template <class Lower, class Upper>
  auto remove_range_async(const Lower& lower, const Upper& upper) {
    Removal<Lower, Upper> all(structure_, lower, upper);
    return awaiter_of([removal = std::move(all)](const ebr::Barrier& barrier,
                                                 Refusal& refusal) mutable -> std::optional<std::size_t> {
      if (removal.go_on(barrier, &refusal)) return std::nullopt;
      return removal.removed();
    });
  }

  // A position that moves both ways; unpositioned until its first seek. An entry present from the seek to the end of
  // the walk is visited exactly once, in order; one inserted or removed meanwhile at most once.
  Cursor cursor(const ebr::Barrier& barrier) const { return Cursor(structure_, barrier); }

  // For range-for: pairs of key and reference to value, ascending or descending.
  auto iter(const ebr::Barrier& barrier) const { return range(unbounded, unbounded, barrier); }
  auto reverse_iter(const ebr::Barrier& barrier) const { return reverse_range(unbounded, unbounded, barrier); }

  // The entries between two bounds: included(key), excluded(key) or unbounded. Empty if they enclose nothing, also
  // where they are the wrong way round.
  template <class Lower, class Upper>
  auto range(const Lower& lower, Upper upper, const ebr::Barrier& barrier) const {
    return detail::TreeRange<false, Slots, Upper>(structure_.compare(), cursor_at<false>(lower, barrier),
                                                  std::move(upper));
  }
  template <class Lower, class Upper>
  auto reverse_range(Lower lower, const Upper& upper, const ebr::Barrier& barrier) const {
    return detail::TreeRange<true, Slots, Lower>(structure_.compare(), cursor_at<true>(upper, barrier),
                                                 std::move(lower));
  }

  // Calls `f(key, value)` for the entries between two bounds, ascending; if it returns a bool, false ends the scan.
  // Returns how often it was called. However long it takes, it holds back no reclamation for longer than
  // `entries_per_barrier` calls, at least one: it goes on under another barrier then, behind the last key, which it
  // copies. What an iteration promises holds for the whole scan: an entry present throughout is visited exactly once.
  // A barrier that the caller holds meanwhile makes all this vain.
  template <class Lower, class Upper, class F>
  std::size_t scan(const Lower& lower, const Upper& upper, F&& f, std::size_t entries_per_barrier = 1024) const {
    std::size_t visited = 0;
    // Under one barrier. The last key, if there may be more.
    const auto part = [&](const auto& from) -> std::optional<K> {
      ebr::Barrier barrier;
      std::size_t left = std::max<std::size_t>(entries_per_barrier, 1);
      for (auto&& [key, value] : range(from, upper, barrier)) {
        ++visited;
        if constexpr (std::is_void_v<std::invoke_result_t<F&, key_view, value_view>>) {
          f(key, value);
        } else {
          if (!f(key, value)) return std::nullopt;
        }
        if (--left == 0) return K(key);
      }
      return std::nullopt;
    };
    for (std::optional<K> last = part(lower); last;) last = part(Bound<const K&>{BoundKind::kExcluded, *last});
    return visited;
  }

  // Neighbours of a key, valid until the barrier ends: O(log n), found as a cursor finds them. No entry that is present
  // throughout the call lies between. Nothing if there is none.

  // The first entry with a key >= `key`, and > `key`.
  template <class Query>
  std::optional<reference> lower_bound(const Query& key, const ebr::Barrier& barrier) const {
    return shown(cursor_at<false>(Bound<const Query&>{BoundKind::kIncluded, key}, barrier));
  }
  template <class Query>
  std::optional<reference> upper_bound(const Query& key, const ebr::Barrier& barrier) const {
    return shown(cursor_at<false>(Bound<const Query&>{BoundKind::kExcluded, key}, barrier));
  }
  // The last one with a key <= `key`, and < `key`.
  template <class Query>
  std::optional<reference> floor(const Query& key, const ebr::Barrier& barrier) const {
    return shown(cursor_at<true>(Bound<const Query&>{BoundKind::kIncluded, key}, barrier));
  }
  template <class Query>
  std::optional<reference> below(const Query& key, const ebr::Barrier& barrier) const {
    return shown(cursor_at<true>(Bound<const Query&>{BoundKind::kExcluded, key}, barrier));
  }
  // Of all entries.
  std::optional<reference> first(const ebr::Barrier& barrier) const {
    return shown(cursor_at<false>(unbounded, barrier));
  }
  std::optional<reference> last(const ebr::Barrier& barrier) const {
    return shown(cursor_at<true>(unbounded, barrier));
  }

  // Of numbers in the order of numbers: the one at the smallest distance, the lower one of two. Distances of floating
  // point are rounded as K is.
  std::optional<reference> nearest(K key, const ebr::Barrier& barrier) const requires kHasDistances {
    const std::optional<reference> low = floor(key, barrier);
    const std::optional<reference> high = lower_bound(key, barrier);
    if (!low || !high) return low ? low : high;
    return distance(low->first, key) <= distance(key, high->first) ? low : high;
  }

 private:
  template <class Entries>
  TreeIndex(Entries& entries, const Compare& compare, const Allocator& allocator) : TreeIndex(compare, allocator) {
    assign_sorted(entries);
  }

  template <class Key, class Value>
  void append(typename Structure::Builder& builder, const Key& key, Value&& value) const {
    Offer<Value> offer(std::forward<Value>(value));
    builder.append(offer.content(structure_.memory(), Slots::probe(key), key));
    offer.published();
  }

  template <bool kReverse, class Near>
  Cursor cursor_at(const Near& near, const ebr::Barrier& barrier) const {
    Cursor c = cursor(barrier);
    detail::seek_bound<kReverse>(c, structure_.compare(), near);
    return c;
  }
  static std::optional<reference> shown(const Cursor& cursor) {
    if (!cursor.valid()) return std::nullopt;
    return std::optional<reference>(std::in_place, cursor.key(), cursor.value());
  }
  static std::optional<reference> shown(const Place& place) {
    if (!place) return std::nullopt;
    return std::optional<reference>(std::in_place, Slots::key(place), Slots::value(*place.payload));
  }

  // From one number to another that is not below it; of integers that is no number of their own type.
  static auto distance(K from, K to) noexcept {
    if constexpr (std::is_floating_point_v<K>) {
      return to - from;
    } else {
      using Unsigned = std::make_unsigned_t<K>;
      return static_cast<Unsigned>(static_cast<Unsigned>(to) - static_cast<Unsigned>(from));
    }
  }

  template <class Query>
  Place find(const Query& key) const {
    return detail::with_vectors<Slots::kHasNumbers>([&](auto how) {
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

  static bool always(value_view) noexcept { return true; }

  template <class Lower, class Upper>
  using Removal = detail::TreeRangeRemoval<Slots, Lower, Upper>;
  using Refusal = typename Structure::Refusal;

  template <class Try>
  static auto awaiter_of(Try attempt) {
    return detail::RetryAwaiter<Refusal, Try>(std::move(attempt));
  }
  // What one tries to do with a Writer, for coroutines: it returns nothing if it is refused.
  template <class Try>
  auto awaiter(Try attempt) {
    return awaiter_of([this, attempt = std::move(attempt)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
      Writer writer(structure_, barrier, &refusal);
      return attempt(writer);
    });
  }

  struct Added {
    const Plain<typename Slots::Payload>* payload;  // none: refused
    bool fresh;                                     // there was no entry of this key
  };
  template <class... Args>
  using Offer = detail::TreeOffer<Slots, Args...>;

  // The payload of the key: what was there (not replacing) or what was added.
  template <bool Replace, class Key, class... Args>
  Added add(Writer& writer, const Key& key, Offer<Args...>& offer) {
    const auto probe = Slots::probe(key);
    for (writer.seek(probe); !writer.is_refused();) {
      const bool present(writer.place());
      if (!Replace && present) return {writer.place().payload, false};
      if (!writer.put(probe, offer.content(structure_.memory(), probe, key))) continue;
      offer.published();
      return {writer.place().payload, !present};
    }
    return {nullptr, false};
  }
  // True if it did what it is for: an insert (not replacing) that added an entry, or an upsert that replaced one.
  template <bool Replace, class Key, class Value>
  bool add_now(const Key& key, Value&& value) {
    ebr::Barrier barrier;
    Writer writer(structure_, barrier);
    Offer<Value> offer(std::forward<Value>(value));
    return add<Replace>(writer, detail::stored_key<K>(key), offer).fresh != Replace;
  }
  // The draft stays from one attempt to the next: the value may have been moved into it.
  template <bool Replace, class Key, class Value>
  auto add_async(const Key& key, Value&& value) {
    Offer<Value> made(std::forward<Value>(value));
    return awaiter([this, &key, offer = std::move(made)](Writer& writer) mutable -> std::optional<bool> {
      const Added added = add<Replace>(writer, detail::stored_key<K>(key), offer);
      if (added.payload == nullptr) return std::nullopt;
      if (!Replace && !added.fresh) offer.give_back();
      return added.fresh != Replace;
    });
  }

  template <class Query, class Condition>
  std::optional<bool> take_if(Writer& writer, const Query& key, Condition& condition) {
    const auto probe = Slots::probe(key);
    Place asked;
    for (writer.seek(probe); !writer.is_refused();) {
      if (!writer.place()) return false;
      if (!Slots::same(writer.place(), asked)) {
        asked = writer.place();
        if (!condition(Slots::value(*asked.payload))) return false;
      }
      if (writer.take(probe)) return true;
    }
    return std::nullopt;
  }

  template <class Query, class F>
  std::optional<bool> modify(Writer& writer, const Query& key, F& f) {
    const auto probe = Slots::probe(key);
    detail::TreeDraft<Slots> draft;
    Place asked;
    for (writer.seek(probe); !writer.is_refused();) {
      if (!writer.place()) return false;
      if (!Slots::same(writer.place(), asked)) {
        asked = writer.place();
        draft.make(structure_.memory(), probe, Slots::key(asked), f(Slots::value(*asked.payload)));
      }
      if (!writer.put(probe, draft.content())) continue;
      draft.published();
      return true;
    }
    return std::nullopt;
  }

  // The leaf at the end of the tree has the least key of all, or the greatest: where it is empty, it has to go first.
  // An empty place if there is no entry; nothing if it is refused.
  std::optional<Place> take_at(Writer& writer, const detail::EdgeProbe& end) {
    for (writer.seek(end); !writer.is_refused();) {
      if (const Place place = writer.place()) {
        if (writer.take(end)) return place;
      } else {
        if (writer.is_in_only_leaf()) return Place{};
        writer.make_room(end);
      }
    }
    return std::nullopt;
  }
  std::optional<reference> pop(const ebr::Barrier& barrier, const detail::EdgeProbe& end) {
    Writer writer(structure_, barrier);
    return shown(*take_at(writer, end));
  }
  template <class F>
  auto pop_async(const detail::EdgeProbe& end, F f) {
    return awaiter([this, end, f = std::move(f)](Writer& writer) mutable -> std::optional<bool> {
      const std::optional<Place> place = take_at(writer, end);
      if (!place) return std::nullopt;
      if (*place) f(Slots::key(*place), Slots::value(*place->payload));
      return static_cast<bool>(*place);
    });
  }

 protected:
  // Tests of the protocol put broken steps beside the right ones.
  Structure structure_;
};

}  // namespace scree
