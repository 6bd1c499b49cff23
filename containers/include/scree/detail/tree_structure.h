// SPDX-License-Identifier: Apache-2.0
//
// The structure of a TreeIndex: descent, copying of leaves that are used up, split, merge, unlinking of empty leaves,
// replacement of the whole. Protocol, steps S1-S6 and invariants: docs/protocols/leaf.md.
//
// Readers only load child pointers. A leaf that is used up is frozen, and replaced by its copy with one
// compare-exchange of the pointer to it, by whoever needs that. Any other change locks the parent of what it replaces,
// then as many ancestors as it must replace too, bottom-up; it builds all new nodes aside and publishes them with one
// store. Separators never change, so what a reader holds stays a valid partition of the keys.

#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

#include <scree/detail/leaf_view.h>
#include <scree/detail/tree_inner.h>
#include <scree/detail/tree_leaf.h>
#include <scree/detail/tree_slot.h>
#include <scree/ebr.h>
#include <scree/lock.h>
#include <scree/sync_point.h>

namespace scree::detail {

template <class K, class V, class Compare>
class TreeStructure {
 public:
  using Slots = TreeSlots<K, V, Compare>;
  using Slot = typename Slots::Slot;
  using Place = typename Slots::Place;
  using Separator = typename Slots::Separator;
  using Leaf = TreeLeaf<Slots>;
  using View = LeafView<Slots>;
  using Inner = TreeInner<Slots>;

  static constexpr unsigned kMaxLevels = 40;

  // What clear() replaces as a whole. Whoever has begun in one goes on in it.
  struct Tree {
    Tree() : root(Inner::make(1, 1)) {
      Inner* const node = root.load(memory_order_relaxed);
      try {
        node->set_child(0, Leaf::make(0, kLeafSlots));
      } catch (...) {
        Inner::destroy(node);
        throw;
      }
    }
    ~Tree() { destroy_inner(root.load(memory_order_acquire)); }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    Atomic<Inner*> root;
    Lock root_lock;
  };

  // The inner nodes of a descent by level (1: parent of the leaf) and the child taken in each. A node's level
  // never changes, whatever the root does.
  struct Path {
    struct Step {
      Inner* node;
      unsigned index;
    };
    Tree* tree = nullptr;
    std::array<Step, kMaxLevels> at;
    unsigned top = 0;  // the root's level

    bool is_only_leaf() const noexcept { return top == 1 && at[1].node->child_count == 1; }
    bool on_right_edge(unsigned level) const noexcept {
      for (unsigned l = level; l <= top; ++l) {
        if (at[l].index + 1 != at[l].node->child_count) return false;
      }
      return true;
    }
    bool on_left_edge(unsigned level) const noexcept {
      for (unsigned l = level; l <= top; ++l) {
        if (at[l].index != 0) return false;
      }
      return true;
    }
  };

  explicit TreeStructure(const Compare& compare) : compare_(compare), tree_(new Tree) {}
  ~TreeStructure() {
    ebr::Barrier barrier;
    retire_tree(barrier, tree_.load(memory_order_acquire));
  }
  TreeStructure(const TreeStructure&) = delete;
  TreeStructure& operator=(const TreeStructure&) = delete;

  const Compare& compare() const noexcept { return compare_; }
  Tree* tree() const noexcept { return tree_.load(memory_order_acquire); }  // [T13]

  template <class Probe>
  Leaf* descend(const Probe& probe) const {
    Inner* const root = tree()->root.load(memory_order_acquire);  // [T14]
    return descend_from(root, probe, [](Inner*, unsigned) {});
  }
  // The leaves of keys[0 .. n), for `probe_of` them: all descents go down one level before any goes on, so that their
  // misses overlap.
  template <class Query, class ProbeOf>
  void descend_together(const Query* keys, std::size_t n, const ProbeOf& probe_of, Leaf** leaves) const {
    const Inner* const root = tree()->root.load(memory_order_acquire);
    std::array<const void*, kTogether> at;
    std::fill_n(at.begin(), n, root);
    for (unsigned level = root->level; level != 0; --level) {
      for (std::size_t i = 0; i < n; ++i) {
        const auto* const node = static_cast<const Inner*>(at[i]);
        void* const child = node->child(node->child_index(compare_, probe_of(keys[i])));
        level == 1 ? Leaf::prefetch(child) : Inner::prefetch(child);
        at[i] = child;
        if (level == 1) leaves[i] = static_cast<Leaf*>(child);
      }
    }
  }
  static constexpr std::size_t kTogether = 16;

  template <class Probe>
  Leaf* descend(const Probe& probe, Path& path) const {
    path.tree = tree();
    return descend_within(probe, path);
  }

  // L5. `leaf`, the path's, is frozen, or has handed out all its slots, or is to be merged or unlinked: replaces it by
  // one leaf, two, or none. `probe`: the key about to be written, which decides where to split at the edges. The caller
  // descends again. If anything throws, the leaf stays frozen, and whoever comes next to write in it begins here.
  template <class Probe>
  void make_room(const ebr::Barrier& barrier, Path& path, Leaf* leaf, const Probe& probe) {
    const LeafWord word = leaf->freeze();
    SCREE_SYNC_POINT("tree:leaf:frozen");
    if (leaf->copy() != nullptr) return relink(barrier, path);
    if (leaf->is_claimed()) return await_change(path);
    const View view(compare_, *leaf, word);
    const unsigned count = view.count();
    // To be merged: not if there is no neighbour below the same parent.
    const bool shrinks = count < kLeafLow && count < leaf->base_count() && path.at[1].node->child_count != 1;
    if (count <= kLeafBase && !shrinks && (count != 0 || path.is_only_leaf())) {
      Leaf* const copy = copy_of(view, 0, count, kLeafSlots);
      SCREE_SYNC_POINT("tree:leaf:copied");
      if (!leaf->attach(copy)) Leaf::destroy(copy);  // another one's is there, or a structural change has begun
      return relink(barrier, path);
    }
    Change change(*this, barrier, path);
    if (!change.claim(leaf)) return;
    if (count > kLeafBase) return change.split_leaf(view, probe);
    if (count == 0 ? change.unlink_leaf(probe) : change.merge_leaf(view, probe)) return;
    change.replace_leaf(view);
  }

  // After a removal that made `word` of the leaf's word: unlinks it if it is empty, merges it if it has become small.
  // The removal has taken effect, so nothing is thrown: if memory is short or the comparator throws, whoever writes
  // there next begins with that.
  template <class Probe>
  void shrink(const ebr::Barrier& barrier, Path& path, Leaf* leaf, LeafWord word, const Probe& probe) noexcept {
    const unsigned count = leaf->count(word);
    if ((count == 0 || count + 1 == kLeafLow) && !path.is_only_leaf()) try_to_make_room(barrier, path, leaf, probe);
  }

  // What was at `place`, in `slot` of the leaf or in its base if there is none, is not an entry any more. A key in the
  // base stays until the leaf is replaced; that is at once where it is large. Nothing is thrown, as in shrink().
  template <class Probe>
  void retire_entry(const ebr::Barrier& barrier, Path& path, Leaf* leaf, int slot, const Place& place,
                    const Probe& probe) noexcept {
    if constexpr (Slots::kKeysInEntries) {
      if (slot == Leaf::kNone) {
        const bool large = (*place.payload)->bytes() >= kLargeEntry;
        Slots::retire_value(barrier, *place.payload);
        if (large) try_to_make_room(barrier, path, leaf, probe);
        return;
      }
    }
    Slots::retire_entry(barrier, *place.payload);
  }

  // Replaces everything by an empty tree.
  void clear(const ebr::Barrier& barrier) {
    auto fresh = std::make_unique<Tree>();
    Tree* const replaced = tree_.exchange(fresh.release(), memory_order_acq_rel);  // [T16]
    retire_tree(barrier, replaced);
  }

 private:
#if SCREE_SMALL_CAPACITIES
  static constexpr unsigned kLeafLow = 2, kInnerLow = 2;
  static constexpr std::size_t kLargeEntry = 64;
#else
  static constexpr std::size_t kLargeEntry = 1024;
  static constexpr unsigned kLeafLow = kLeafBase / 4, kInnerLow = kInnerChildren / 4;
#endif

  template <class Probe>
  Leaf* descend_within(const Probe& probe, Path& path) const {
    Inner* const root = path.tree->root.load(memory_order_acquire);  // [T14]
    path.top = root->level;
    return descend_from(root, probe, [&](Inner* node, unsigned index) { path.at[node->level] = {node, index}; });
  }
  // Calls `passed(node, index of the child)` on the way.
  template <class Probe, class Passed>
  Leaf* descend_from(Inner* node, const Probe& probe, const Passed& passed) const {
    for (;;) {
      const unsigned index = node->child_index(compare_, probe);
      passed(node, index);
      void* const child = node->child(index);
      if (node->level == 1) {
        Leaf::prefetch(child);
        return static_cast<Leaf*>(child);
      }
      Inner::prefetch(child);
      node = static_cast<Inner*>(child);
    }
  }

  template <class Probe>
  void try_to_make_room(const ebr::Barrier& barrier, Path& path, Leaf* leaf, const Probe& probe) noexcept {
    try {
      make_room(barrier, path, leaf, probe);
    } catch (...) {
    }
  }

  // A leaf whose base are the entries [begin, end) of a view; it has room for `slots` more.
  static Leaf* copy_of(const View& view, unsigned begin, unsigned end, unsigned slots) {
    Leaf* const copy = Leaf::make(end - begin, slots);
    fill(*copy, 0, view, begin, end);
    return copy;
  }
  static void fill(Leaf& leaf, unsigned to, const View& view, unsigned begin, unsigned end) noexcept {
    for (unsigned rank = begin; rank < end; ++rank) leaf.set_base(to++, view.place_at(rank));
  }

  // Parks until the change below the parent of the path's leaf is over; the caller then descends again.
  static void await_change(Path& path) { std::lock_guard<Lock> parked(path.at[1].node->lock); }

  // Leads the path's pointer past leaves that have been copied. Where the parent is sealed they stay; the pointer in
  // what takes its place is led past them later.
  static void relink(const ebr::Barrier& barrier, Path& path) noexcept {
    const typename Path::Step& step = path.at[1];
    auto* const first = static_cast<Leaf*>(step.node->child(step.index));
    Leaf* const last = first->current();
    if (first != last && step.node->exchange_child(step.index, first, last)) retire_leaves(barrier, first, last);
  }
  static void retire_leaves(const ebr::Barrier& barrier, Leaf* first, const Leaf* last) noexcept {
    while (first != last) {
      Leaf* const next = first->copy();
      retire_leaf(barrier, first);
      first = next;
    }
  }

  // Of one that is replaced, with the keys that stayed for its sake.
  static void retire_leaf(const ebr::Barrier& barrier, Leaf* leaf) noexcept {
    if constexpr (Slots::kKeysInEntries) {
      leaf->for_each_hidden(leaf->load(), [&](const Place& place) { Slots::retire_key(barrier, *place.payload); });
    }
    barrier.retire(leaf, &Leaf::destroy, leaf->bytes());
  }
  static void retire_inner(const ebr::Barrier& barrier, Inner* node) noexcept {
    barrier.retire(node, &Inner::destroy, node->bytes());
  }
  static void retire_tree(const ebr::Barrier& barrier, Tree* tree) noexcept {
    barrier.retire(
        tree, [](void* p) { delete static_cast<Tree*>(p); }, ebr::detail::kBagBytes);
  }

  static void destroy_inner(Inner* node) noexcept {
    for (unsigned i = 0; i + 1 < node->child_count; ++i) Slots::destroy_separator(node->separator(i));
    for (unsigned i = 0; i < node->child_count; ++i) {
      if (node->level > 1) {
        destroy_inner(static_cast<Inner*>(node->child(i)));
        continue;
      }
      auto* leaf = static_cast<Leaf*>(node->child(i));
      const auto destroy_entry = [](const Place& place) { Slots::destroy_entry(*place.payload); };
      for (bool last = false; !last;) {
        Leaf* const copy = leaf->copy();
        last = copy == nullptr;
        if (last) leaf->for_each(leaf->load(), destroy_entry);
        if constexpr (Slots::kKeysInEntries) {
          leaf->for_each_hidden(leaf->load(), [](const Place& place) { Slots::let_go_of_key(*place.payload); });
        }
        Leaf::destroy(leaf);
        leaf = copy;
      }
    }
    Inner::destroy(node);
  }

  // One structural change: the locks it holds, the nodes it builds, what it replaces. On destruction it is undone
  // unless it was published, the locks are opened, and only then what it replaced is retired: a retirement may run
  // destructors of the user's, which may use this index.
  class Change {
   public:
    Change(TreeStructure& structure, const ebr::Barrier& barrier, Path& path)
        : structure_(structure), barrier_(barrier), path_(path) {}
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

    ~Change() {
      if (!published_) {
        for (unsigned i = 0; i < new_leaf_count_; ++i) Leaf::destroy(new_leaves_[i]);
        for (unsigned i = 0; i < new_inner_count_; ++i) Inner::destroy(new_inners_[i]);
        if (owns_separator_) Slots::destroy_separator(separator_);
        unseal();
        for (unsigned i = 0; i < old_leaf_count_; ++i) old_leaves_[i]->resolve(nullptr);
      }
      if (root_locked_) path_.tree->root_lock.unlock();
      unsigned replaced = 0;
      for (unsigned i = 0; i < locked_count_; ++i) {
        Inner* node = locked_[i];
        if (node->dead) locked_[replaced++] = node;
        node->lock.unlock();
      }
      for (unsigned i = 0; i < skipped_count_; ++i) retire_leaves(barrier_, skipped_[i].first, skipped_[i].last);
      if (!published_) return;
      for (unsigned i = 0; i < old_leaf_count_; ++i) retire_leaf(barrier_, old_leaves_[i]);
      for (unsigned i = 0; i < replaced; ++i) retire_inner(barrier_, locked_[i]);
      if (old_separator_) Slots::retire_separator(barrier_, *old_separator_);
    }

    // S1. False if the path is out of date.
    bool claim(Leaf* leaf) {
      const typename Path::Step& step = path_.at[1];
      lock(step.node);
      if (step.node->dead) return false;
      auto* const first = static_cast<Leaf*>(step.node->child(step.index));
      if (first->current() != leaf) return false;
      if (first != leaf) {
        if (!step.node->exchange_child(step.index, first, leaf)) return false;
        skipped_[skipped_count_++] = {first, leaf};
      }
      return hold(leaf);
    }

    // S5, where the parent stays as it is.
    void replace_leaf(const View& view) {
      const typename Path::Step& step = path_.at[1];
      Leaf* const leaf = old_leaves_[0];
      Leaf* const copy = copy_of(view, 0, view.count(), kLeafSlots);
      leaf->resolve(copy);
      published_ = true;
      // Otherwise it has been relinked already.
      if (!step.node->exchange_child(step.index, leaf, copy)) old_leaf_count_ = 0;
    }

    // S2-S6. In the middle, except where keys arrive in order at an edge of the tree: there the full side stays full.
    template <class Probe>
    void split_leaf(const View& view, const Probe& probe) {
      seal(path_.at[1].node);
      SCREE_SYNC_POINT("tree:split:frozen");
      const unsigned count = view.count();
      const unsigned rank = view.rank_of(structure_.compare_, probe);
      unsigned low_count = count / 2, low_slots = kLeafSlots, high_slots = kLeafSlots;
      if (rank == count && path_.on_right_edge(1)) {
        low_count = kLeafBase;
        low_slots = 0;
      } else if (rank == 0 && path_.on_left_edge(1)) {
        low_count = count - kLeafBase;
        high_slots = 0;
      }
      Leaf* const low = keep(copy_of(view, 0, low_count, low_slots));
      Leaf* const high = keep(copy_of(view, low_count, count, high_slots));
      separator_ = Slots::make_separator(high->base_place(0));
      owns_separator_ = true;
      insert_child(1, low, separator_, high, probe);
      SCREE_SYNC_POINT("tree:split:published");
    }

    // S2-S6. The lowest ancestor with another child loses the branch; below it there is nothing but this leaf. False if
    // it is the only one.
    template <class Probe>
    bool unlink_leaf(const Probe& probe) {
      SCREE_SYNC_POINT("tree:unlink:frozen");
      unsigned level = 1;
      for (; path_.at[level].node->child_count == 1; ++level) {
        lock_parent(level, probe);
        if (root_locked_) return false;
      }
      if (level == 1) seal(path_.at[1].node);
      const unsigned index = path_.at[level].index;
      remove_child(level, index, index == 0 ? 0 : index - 1, nullptr, probe);
      return true;
    }

    // S2-S6. With a neighbour below the same parent, if both fit into one and leave room. False if not.
    template <class Probe>
    bool merge_leaf(const View& view, const Probe& probe) {
      Inner* const node = path_.at[1].node;
      assert(node->child_count != 1);
      const unsigned index = path_.at[1].index;
      const unsigned left = index == 0 ? 0 : index - 1;
      seal(node);
      auto* const first = static_cast<Leaf*>(node->child(index == 0 ? 1 : left));
      Leaf* const neighbour = first->current();
      LeafWord word = neighbour->load();
      const bool fits = view.count() + neighbour->count(word) <= kLeafBase - kLeafSlots;
      if (fits) word = neighbour->freeze();
      if (!fits || !hold(neighbour)) {
        unseal();
        return false;
      }
      const View theirs(structure_.compare_, *neighbour, word);
      SCREE_SYNC_POINT("tree:merge:frozen");
      const View& low = index == 0 ? view : theirs;
      const View& high = index == 0 ? theirs : view;
      Leaf* const both = keep(Leaf::make(low.count() + high.count(), kLeafSlots));
      fill(*both, 0, low, 0, low.count());
      fill(*both, low.count(), high, 0, high.count());
      remove_child(1, left + 1, left, both, probe);
      // Copies before it that are still linked in the node that is replaced.
      skipped_[skipped_count_++] = {first, neighbour};
      return true;
    }

   private:
    // Copied leaves that this change has unlinked, up to the one that took their place.
    struct Chain {
      Leaf* first;
      const Leaf* last;
    };

    void lock(Inner* node) {
      static_cast<void>(node->lock.lock());  // never killed
      locked_[locked_count_++] = node;
    }
    // Claims a frozen leaf, to replace it or to give it up in the end.
    bool hold(Leaf* leaf) noexcept {
      if (!leaf->claim()) return false;
      old_leaves_[old_leaf_count_++] = leaf;
      return true;
    }
    void seal(Inner* node) noexcept {
      node->seal();
      sealed_[sealed_count_++] = node;
    }
    void unseal() noexcept {
      while (sealed_count_ != 0) sealed_[--sealed_count_]->unseal();
    }
    Leaf* keep(Leaf* leaf) noexcept { return new_leaves_[new_leaf_count_++] = leaf; }
    Inner* new_inner(unsigned level, unsigned children) {
      Inner* node = new_inners_[new_inner_count_] = Inner::make(level, children);
      ++new_inner_count_;
      return node;
    }
    void drop(Inner* node) noexcept {
      assert(new_inners_[new_inner_count_ - 1] == node);
      --new_inner_count_;
      Inner::destroy(node);
    }

    // S4. Locks the parent of the path's node at `level`, which this change has locked and found alive, or the root's
    // lock, and brings the path above it up to date.
    template <class Probe>
    void lock_parent(unsigned level, const Probe& probe) {
      Inner* node = path_.at[level].node;
      for (;;) {
        if (level < path_.top) {
          const typename Path::Step& up = path_.at[level + 1];
          lock(up.node);
          if (!up.node->dead && up.node->child(up.index) == node) return;
          up.node->lock.unlock();
          --locked_count_;
        } else {
          static_cast<void>(path_.tree->root_lock.lock());
          if (path_.tree->root.load(memory_order_relaxed) == node) {
            root_locked_ = true;
            return;
          }
          path_.tree->root_lock.unlock();
        }
        // Somebody replaced the parent: find the node again. It is alive and locked, so it stays where it is found.
        Path fresh;
        fresh.tree = path_.tree;
        structure_.descend_within(probe, fresh);
        assert(fresh.top >= level && fresh.at[level].node == node);
        for (unsigned l = level + 1; l <= fresh.top; ++l) path_.at[l] = fresh.at[l];
        path_.top = fresh.top;
      }
    }

    // S3-S5. Replaces the child taken at `level` by `left`, `separator`, `right`, in a copy of the node or, where it is
    // full, in two, and so on upwards.
    template <class Probe>
    void insert_child(unsigned level, void* left, const Separator& separator, void* right, const Probe& probe) {
      Inner* node = path_.at[level].node;
      const unsigned index = path_.at[level].index;
      const unsigned children = node->child_count + 1;
      auto child_at = [&](unsigned i) {
        return i == index ? left : i == index + 1 ? right : node->child(i < index ? i : i - 1);
      };
      auto separator_at = [&](unsigned i) { return i == index ? separator : node->separator(i < index ? i : i - 1); };
      auto fill = [&](Inner* to, unsigned begin) {
        for (unsigned i = 0; i < to->child_count; ++i) to->set_child(i, child_at(begin + i));
        for (unsigned i = 0; i + 1 < to->child_count; ++i) to->set_separator(i, separator_at(begin + i));
      };
      if (children <= kInnerChildren) {
        Inner* fresh = new_inner(level, children);
        fill(fresh, 0);
        return install(level, fresh, probe);
      }
      unsigned low_count = children / 2;
      if (index + 2 == children && path_.on_right_edge(level)) low_count = children - 2;
      if (index == 0 && path_.on_left_edge(level)) low_count = 2;
      Inner* low = new_inner(level, low_count);
      Inner* high = new_inner(level, children - low_count);
      fill(low, 0);
      fill(high, low_count);
      const Separator middle = separator_at(low_count - 1);
      lock_parent(level, probe);
      if (!root_locked_) return insert_child(level + 1, low, middle, high, probe);
      Inner* root = new_inner(level + 1, 2);
      root->set_child(0, low);
      root->set_child(1, high);
      root->set_separator(0, middle);
      publish_root(root, level);
    }

    // S3-S5. Takes child `gone` and `separator`, which has it at its right or left, out of the path's node at `level`.
    template <class Probe>
    void remove_child(unsigned level, unsigned gone, unsigned separator, void* merged, const Probe& probe) {
      Inner* const reduced = without_child(level, gone, separator, merged);
      old_separator_ = path_.at[level].node->separator(separator);
      install(level, reduced, probe);
    }
    // S3. A copy of the path's node at `level` without these two. `merged`, if there is one, takes the place of
    // the child before.
    Inner* without_child(unsigned level, unsigned gone, unsigned separator, void* merged) {
      const Inner* const node = path_.at[level].node;
      Inner* const reduced = new_inner(level, node->child_count - 1);
      for (unsigned i = 0, to = 0; i < node->child_count; ++i) {
        if (i != gone) reduced->set_child(to++, merged != nullptr && i + 1 == gone ? merged : node->child(i));
      }
      for (unsigned i = 0, to = 0; i + 1 < node->child_count; ++i) {
        if (i != separator) reduced->set_separator(to++, node->separator(i));
      }
      return reduced;
    }

    // S5. Publishes `fresh` in the place of the path's node at `level`.
    template <class Probe>
    void install(unsigned level, Inner* fresh, const Probe& probe) {
      lock_parent(level, probe);
      if (!root_locked_) {
        if (fresh->child_count < kInnerLow && merge_inner(level, fresh, probe)) return;
        const typename Path::Step& up = path_.at[level + 1];
        up.node->replace_child(up.index, fresh);
        return finish(level);
      }
      if (fresh->child_count == 1 && level > 1) {
        auto* only = static_cast<Inner*>(fresh->child(0));
        drop(fresh);
        fresh = branching(only);
      }
      publish_root(fresh, level);
    }

    // Merges `fresh`, which is to take the place of the path's node at `level`, with a neighbour below the same parent.
    // False if both together are too many, or somebody is at work below the neighbour: locks are taken upwards, so here
    // one is only tried.
    template <class Probe>
    bool merge_inner(unsigned level, Inner* fresh, const Probe& probe) {
      Inner* const parent = path_.at[level + 1].node;
      if (parent->child_count == 1) return false;
      const unsigned index = path_.at[level + 1].index;
      const unsigned left = index == 0 ? 0 : index - 1;
      auto* const neighbour = static_cast<Inner*>(parent->child(index == 0 ? 1 : left));
      if (fresh->child_count + neighbour->child_count > kInnerChildren * 3 / 4 || !neighbour->lock.try_lock()) {
        return false;
      }
      locked_[locked_count_++] = neighbour;
      if (level == 1) seal(neighbour);
      const Inner* const parts[] = {index == 0 ? fresh : neighbour, index == 0 ? neighbour : fresh};
      Inner* const both = new_inner(level, fresh->child_count + neighbour->child_count);
      unsigned to = 0;
      for (const Inner* part : parts) {
        if (to != 0) both->set_separator(to - 1, parent->separator(left));
        for (unsigned i = 0; i < part->child_count; ++i) {
          if (i != 0) both->set_separator(to - 1, part->separator(i - 1));
          both->set_child(to++, part->child(i));
        }
      }
      dying_[dying_count_++] = neighbour;
      discarded_[discarded_count_++] = fresh;
      // The separator between the two stays in use, in the merged node.
      install(level + 1, without_child(level + 1, left + 1, left, both), probe);
      return true;
    }

    // The first node from `node` down that has several children or leaves. Those above it die. Locks are taken upwards,
    // so here they are only tried: where somebody holds one, the tree stays taller than it need be.
    Inner* branching(Inner* node) noexcept {
      while (node->child_count == 1 && node->level > 1 && !is_new(node) && node->lock.try_lock()) {
        locked_[locked_count_++] = node;
        dying_[dying_count_++] = node;
        node = static_cast<Inner*>(node->child(0));
      }
      return node;
    }
    bool is_new(const Inner* node) const noexcept {
      for (unsigned i = 0; i < new_inner_count_; ++i) {
        if (new_inners_[i] == node) return true;
      }
      return false;
    }

    void publish_root(Inner* root, unsigned replaced_up_to) noexcept {
      path_.tree->root.store(root, memory_order_release);  // [T15]
      finish(replaced_up_to);
    }

    // S6. The nodes of levels 1 to `level` on the path are replaced: they are dead before their locks open, and retired
    // after.
    void finish(unsigned level) noexcept {
      published_ = true;
      for (unsigned l = 1; l <= level; ++l) path_.at[l].node->dead = true;
      for (unsigned i = 0; i < dying_count_; ++i) dying_[i]->dead = true;
      for (unsigned i = 0; i < discarded_count_; ++i) Inner::destroy(discarded_[i]);
    }

    TreeStructure& structure_;
    const ebr::Barrier& barrier_;
    Path& path_;
    std::array<Inner*, 3 * kMaxLevels> locked_;
    std::array<Inner*, 3 * kMaxLevels> new_inners_;
    std::array<Inner*, 2 * kMaxLevels> dying_;  // replaced, and not on the path
    std::array<Inner*, kMaxLevels> discarded_;  // new ones that were merged into another
    std::array<Leaf*, 2> new_leaves_;
    std::array<Leaf*, 2> old_leaves_;
    std::array<Inner*, 2> sealed_;
    std::array<Chain, 2> skipped_;
    std::optional<Separator> old_separator_;
    unsigned locked_count_ = 0;
    unsigned new_inner_count_ = 0;
    unsigned dying_count_ = 0;
    unsigned discarded_count_ = 0;
    unsigned new_leaf_count_ = 0;
    unsigned old_leaf_count_ = 0;
    unsigned sealed_count_ = 0;
    unsigned skipped_count_ = 0;
    bool root_locked_ = false;
    bool published_ = false;
    bool owns_separator_ = false;  // a new one, until it is published
    Separator separator_{};
  };

  const Compare compare_;
  alignas(64) Atomic<Tree*> tree_;
};

}  // namespace scree::detail
