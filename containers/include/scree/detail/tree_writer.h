// SPDX-License-Identifier: Apache-2.0
//
// An operation of a TreeIndex that writes: steps L1-L5 of docs/protocols/leaf.md for one key, or for the entry at an
// end of the tree. It sees what is there at one moment, the caller decides, and then either nothing has changed there
// at the moment that the writer changes it, or it sees what is there now and the caller decides again:
//
//   for (writer.seek(probe); writer.place(); ) {
//     if (writer.take(probe)) return true;
//   }
//   return false;
//
// It is used under one barrier, and always with probes of the same key.

#pragma once

#include <type_traits>
#include <utility>

#include <scree/detail/tree_structure.h>
#include <scree/sync_point.h>

namespace scree::detail {

template <class Slots>
class TreeWriter {
  using Structure = TreeStructure<Slots>;
  using Slot = typename Structure::Slot;
  using Place = typename Structure::Place;
  using Leaf = typename Structure::Leaf;
  using View = typename Structure::View;
  using Path = typename Structure::Path;
  using Refusal = typename Structure::Refusal;

 public:
  // With `refusal`, it does not wait: then look at is_refused() where nothing was put or taken.
  TreeWriter(Structure& structure, const ebr::Barrier& barrier, Refusal* refusal = nullptr) noexcept
      : structure_(structure), barrier_(barrier), refusal_(refusal) {}

  const typename Slots::Memory& memory() const noexcept { return structure_.memory(); }
  // The entry of the key, or the one at the end; none, if there is none in the leaf.
  const Place& place() const noexcept { return place_; }
  // Whether the leaf stands for all keys.
  bool is_in_only_leaf() const noexcept { return path_.on_left_edge(1) && path_.on_right_edge(1); }

  // L1.
  template <class Probe>
  void seek(const Probe& probe) {
    leaf_ = nullptr;  // until it is found: if the comparator throws, the path leads to no leaf
    mine_ = Leaf::kNone;
    with_vectors<Slots::kHasNumbers>([&](auto how) {
      const auto by_vectors = searched_by(how, probe);
      Leaf* const leaf = structure_.descend(by_vectors, path_)->current();
      if constexpr (!kAtEdge<Probe>) at_ = leaf->locate(structure_.compare(), by_vectors);
      look(by_vectors, leaf, leaf->load());
    });
  }
  // Before another operation with the same writer: what an index has been cleared of is not to be written in.
  template <class Probe>
  void resume(const Probe& probe) {
    if (leaf_ == nullptr || structure_.tree() != path_.tree) seek(probe);
  }

  // L2-L5. Puts an entry in the stead of what place() is, which then is the new one. False: nothing was put, and
  // place() may have become another. If anything throws, place() stays, and so does what is in the index.
  template <class Probe>
  bool put(const Probe& probe, const Slot& content) {
    if (!reserve(probe)) return false;
    const auto mine = static_cast<unsigned>(mine_);
    leaf_->write(mine, at_, content);  // L3
    SCREE_SYNC_POINT("tree:insert:written");
    const LeafWord before = slot_ == Leaf::kNone ? word_ : word_.without(static_cast<unsigned>(slot_));
    if (!exchange(probe, before.with_live(mine))) return false;  // L4
    const Place replaced = std::exchange(place_, leaf_->slot_place(mine));
    const int slot = std::exchange(slot_, std::exchange(mine_, Leaf::kNone));
    std::ptrdiff_t bytes = Slots::entry_bytes(content.payload);
    if (replaced) bytes -= structure_.retire_entry(barrier_, path_, leaf_, slot, replaced, probe, may_wait());
    path_.tree->counters.add(replaced ? 0 : 1, bytes);
    return true;
  }

  // L2-L5. The same of removing what place() is, which must be an entry, and then is none.
  template <class Probe>
  bool take(const Probe& probe) {
    const bool in_base = slot_ == Leaf::kNone;
    LeafWord removed;
    if (!in_base) {
      const auto slot = static_cast<unsigned>(slot_);
      if (word_.frozen()) return make_room(probe), false;
      removed = word_.without(slot);
      if (at_.exact) removed = removed.with_gone(slot);
    } else {
      if (!reserve(probe)) return false;
      leaf_->write(static_cast<unsigned>(mine_), at_);  // L3
      removed = word_.with_gone(static_cast<unsigned>(mine_));
    }
    SCREE_SYNC_POINT("tree:remove:written");
    if (!exchange(probe, removed)) return false;  // L4
    const Place taken = std::exchange(place_, Place{});
    const int slot = slot_;
    if (in_base) {
      slot_ = std::exchange(mine_, Leaf::kNone);
    } else if (!at_.exact) {
      slot_ = Leaf::kNone;
    }
    const std::ptrdiff_t bytes = structure_.retire_entry(barrier_, path_, leaf_, slot, taken, probe, may_wait());
    path_.tree->counters.add(-1, -bytes);
    structure_.shrink(barrier_, path_, leaf_, removed, probe, may_wait());
    return true;
  }

  // L5, then L1, unless it is refused.
  template <class Probe>
  [[gnu::noinline]] void make_room(const Probe& probe) {
    structure_.make_room(barrier_, path_, leaf_, probe, refusal_);
    if (!is_refused()) seek(probe);
  }
  bool is_refused() const noexcept { return refusal_ != nullptr && *refusal_; }

 private:
  bool may_wait() const noexcept { return refusal_ == nullptr; }

  template <class Probe>
  static constexpr bool kAtEdge = std::is_same_v<Probe, EdgeProbe>;

  // What there is in `leaf` at `word`. If the comparator throws, nothing has changed here.
  template <class Probe>
  [[gnu::always_inline]] void look(const Probe& probe, Leaf* leaf, LeafWord word) {
    const typename Slots::Compare& compare = structure_.compare();
    Place place;
    int slot = Leaf::kNone;
    if constexpr (kAtEdge<Probe>) {
      const View view(compare, *leaf, word);
      if (view.count() != 0) {
        place = view.place_at(probe.above_all ? view.count() - 1 : 0);
        const Slot content = place.slot();
        const auto key = Slots::probe_of(content);
        const LeafPosition at = leaf->locate(compare, key);
        slot = leaf->slot_of(compare, word, at, key);
        at_ = at;
      }
    } else {
      slot = leaf->slot_of(compare, word, at_, probe);
      place = leaf->place_of(word, at_, slot);
    }
    leaf_ = leaf;
    word_ = word;
    slot_ = slot;
    place_ = place;
  }

  // L2, unless it has been done. False if there is something else now.
  template <class Probe>
  bool reserve(const Probe& probe) {
    if (word_.frozen() || (mine_ == Leaf::kNone && !leaf_->has_room(word_))) return make_room(probe), false;
    if (mine_ != Leaf::kNone) return true;
    const unsigned reserved = word_.handed_out();
    if (!exchange(probe, word_.with_slot_handed_out())) return false;
    mine_ = static_cast<int>(reserved);
    return true;
  }
  // False if the word has changed.
  template <class Probe>
  bool exchange(const Probe& probe, LeafWord desired) {
    LeafWord present = word_;
    if (leaf_->replace_word(present, desired)) {
      word_ = desired;
      return true;
    }
    look_again(probe, present);
    return false;
  }
  // Apart, so that the operations take in the paths that they go most often.
  template <class Probe>
  [[gnu::noinline]] void look_again(const Probe& probe, LeafWord word) {
    look(probe, leaf_, word);
  }

  Structure& structure_;
  const ebr::Barrier& barrier_;
  Refusal* const refusal_;
  Path path_;
  Leaf* leaf_ = nullptr;  // null: to be sought
  LeafPosition at_{};
  LeafWord word_;
  int slot_ = Leaf::kNone;  // that says what place() is, or that there is nothing
  Place place_;
  int mine_ = Leaf::kNone;  // a slot that is reserved
};

}  // namespace scree::detail
