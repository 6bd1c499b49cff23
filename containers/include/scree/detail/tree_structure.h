// SPDX-License-Identifier: Apache-2.0
//
// The structure of a TreeIndex: descent, copying of leaves that are used up, replacement of the whole; tree_change.h
// has split, merge and unlinking. Protocol and invariants: docs/protocols/leaf.md.
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

#include <scree/detail/leaf_view.h>
#include <scree/detail/tree_builder.h>
#include <scree/detail/tree_change.h>
#include <scree/detail/index_counters.h>
#include <scree/detail/tree_inner.h>
#include <scree/detail/tree_leaf.h>
#include <scree/detail/tree_refusal.h>
#include <scree/detail/tree_slot.h>
#include <scree/ebr.h>
#include <scree/lock.h>
#include <scree/sync_point.h>

namespace scree::detail {

template <class S>
class TreeStructure {
 public:
  using Slots = S;
  using Compare = typename Slots::Compare;
  using Memory = typename Slots::Memory;
  using Slot = typename Slots::Slot;
  using Place = typename Slots::Place;
  using Separator = typename Slots::Separator;
  using Leaf = TreeLeaf<Slots>;
  using View = LeafView<Slots>;
  using Inner = TreeInner<Slots>;
  using Builder = TreeBuilder<TreeStructure>;

  static constexpr unsigned kMaxLevels = 40;

  // Of nodes.
  template <class Node>
  static std::ptrdiff_t memory_of(const Node* node) noexcept {
    return static_cast<std::ptrdiff_t>(Memory::whole_node(node->bytes()));
  }

  // What clear() replaces as a whole. Whoever has begun in one goes on in it.
  struct Tree {
    static Tree* make(const Memory& memory, Inner* root) {
      return ::new (memory.template allocate<alignof(Tree)>(sizeof(Tree))) Tree(root);
    }
    static constexpr std::size_t bytes() noexcept { return Memory::template whole<alignof(Tree)>(sizeof(Tree)); }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    // With all that is in it.
    static void destroy(void* tree) noexcept {
      destroy_inner(static_cast<Tree*>(tree)->root.load(memory_order_acquire));
      static_cast<Tree*>(tree)->let_go();
    }
    // As of an inner node.
    void pin() noexcept { owners_.fetch_add(1, memory_order_relaxed); }  // [T19]
    void let_go() noexcept {
      if (owners_.fetch_sub(1, memory_order_acq_rel) != 1) return;  // [T18]
      this->~Tree();
      Memory::template free<alignof(Tree)>(this, sizeof(Tree));
    }

    Atomic<Inner*> root;
    Lock lock;  // of the root pointer
    IndexCounters counters;

   private:
    explicit Tree(Inner* node) noexcept : root(node) {}
    ~Tree() = default;

    Atomic<std::uint32_t> owners_{1};
  };
  struct DestroyTree {
    void operator()(Tree* tree) const noexcept { Tree::destroy(tree); }
  };
  using OwnedTree = std::unique_ptr<Tree, DestroyTree>;  // one that nobody else sees yet
  using Refusal = TreeRefusal<Inner, Tree>;

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

  TreeStructure(const Compare& compare, const Memory& memory)
      : compare_(compare), memory_(memory), tree_(Builder(*this).finish().release()) {}
  ~TreeStructure() {
    ebr::Barrier barrier;
    retire_tree(barrier, tree_.load(memory_order_acquire));
  }
  TreeStructure(const TreeStructure&) = delete;
  TreeStructure& operator=(const TreeStructure&) = delete;

  const Compare& compare() const noexcept { return compare_; }
  const Memory& memory() const noexcept { return memory_; }
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
  // descends again. If anything throws, the leaf stays frozen, and whoever comes next to write in it begins here. With
  // `refusal` nothing waits: where it would have to, it gives up, and `refusal` says for what.
  template <class Probe>
  void make_room(const ebr::Barrier& barrier, Path& path, Leaf* leaf, const Probe& probe, Refusal* refusal) {
    const LeafWord word = leaf->freeze();
    SCREE_SYNC_POINT("tree:leaf:frozen");
    if (leaf->copy() != nullptr) return relink(barrier, path);
    if (leaf->is_claimed()) return await_change(path, refusal);
    const View view(compare_, *leaf, word);
    const unsigned count = view.count();
    // To be merged: not if there is no neighbour below the same parent.
    const bool shrinks = count < kLeafLow && count < leaf->base_count() && path.at[1].node->child_count != 1;
    if (count <= kLeafBase && !shrinks && (count != 0 || path.is_only_leaf())) {
      Leaf* const copy = copy_of(view, 0, count, kLeafSlots);
      SCREE_SYNC_POINT("tree:leaf:copied");
      if (leaf->attach(copy)) {
        path.tree->counters.add(0, memory_of(copy));
      } else {
        Leaf::destroy(copy);  // another one's is there, or a structural change has begun
      }
      return relink(barrier, path);
    }
    Change change(*this, barrier, path, refusal);
    if (!change.claim(leaf)) return;
    if (count > kLeafBase) return change.split_leaf(view, probe);
    if (count == 0 ? change.unlink_leaf(probe) : change.merge_leaf(view, probe)) return;
    change.replace_leaf(view);
  }

  // After a removal that made `word` of the leaf's word: unlinks it if it is empty, merges it if it has become small.
  // The removal has taken effect, so nothing is thrown: if memory is short or the comparator throws, whoever writes
  // there next begins with that. So it is where it would have to wait and may not.
  template <class Probe>
  void shrink(const ebr::Barrier& barrier, Path& path, Leaf* leaf, LeafWord word, const Probe& probe,
              bool may_wait) noexcept {
    const unsigned count = leaf->count(word);
    if ((count == 0 || count + 1 == kLeafLow) && !path.is_only_leaf()) {
      try_to_make_room(barrier, path, leaf, probe, may_wait);
    }
  }

  // What was at `place`, in `slot` of the leaf or in its base if there is none, is not an entry any more. A key in the
  // base stays until the leaf is replaced; that is at once where it is large. Nothing is thrown, as in shrink().
  // Returns how many bytes the tree has less.
  template <class Probe>
  std::ptrdiff_t retire_entry(const ebr::Barrier& barrier, Path& path, Leaf* leaf, int slot, const Place& place,
                              const Probe& probe, bool may_wait) noexcept {
    if constexpr (Slots::kKeysInEntries) {
      if (slot == Leaf::kNone) {
        const bool large = Slots::entry_of(*place.payload)->bytes() >= kLargeEntry;
        Slots::retire_value(barrier, *place.payload);
        if (large) try_to_make_room(barrier, path, leaf, probe, may_wait);
        return 0;
      }
    }
    const std::ptrdiff_t bytes = Slots::entry_bytes(*place.payload);
    Slots::retire_entry(barrier, *place.payload);
    return bytes;
  }

  // Removes the leaf of the probe, and as many of those after it as go together, with their entries, if `goes(view)`
  // of each. None if that cannot be done at once, or it is refused.
  template <class Goes, class Probe>
  TakenEntries<Place> remove_leaves(const ebr::Barrier& barrier, const Goes& goes, const Probe& probe,
                                    Refusal* refusal) {
    Path path;
    descend(probe, path);
    relink(barrier, path);
    return Change(*this, barrier, path, refusal).remove_leaves(goes, probe);
  }

  // Replaces everything.
  void replace(const ebr::Barrier& barrier, OwnedTree fresh) noexcept {
    Tree* const replaced = tree_.exchange(fresh.release(), memory_order_acq_rel);  // [T16]
    retire_tree(barrier, replaced);
  }

 private:
  using Change = TreeChange<TreeStructure>;
  friend Change;
  friend Builder;

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
  void try_to_make_room(const ebr::Barrier& barrier, Path& path, Leaf* leaf, const Probe& probe,
                        bool may_wait) noexcept {
    Refusal refusal;
    try {
      make_room(barrier, path, leaf, probe, may_wait ? nullptr : &refusal);
    } catch (...) {
    }
  }

  // A leaf whose base are the entries [begin, end) of a view; it has room for `slots` more.
  Leaf* copy_of(const View& view, unsigned begin, unsigned end, unsigned slots) const {
    Leaf* const copy = Leaf::make(memory_, end - begin, slots);
    view.copy(begin, end, *copy, 0);
    return copy;
  }

  // Parks until the change below the parent of the path's leaf is over; the caller then descends again.
  static void await_change(Path& path, Refusal* refusal) noexcept {
    Inner& parent = *path.at[1].node;
    if (refusal != nullptr) return refusal->refuse(parent);
    if (parent.lock.lock()) parent.lock.unlock();
  }

  // Leads the path's pointer past leaves that have been copied. Where the parent is sealed they stay; the pointer in
  // what takes its place is led past them later.
  static void relink(const ebr::Barrier& barrier, Path& path) noexcept {
    const typename Path::Step& step = path.at[1];
    auto* const first = static_cast<Leaf*>(step.node->child(step.index));
    Leaf* const last = first->current();
    if (first != last && step.node->exchange_child(step.index, first, last)) {
      retire_leaves(barrier, *path.tree, first, last);
    }
  }
  static void retire_leaves(const ebr::Barrier& barrier, Tree& tree, Leaf* first, const Leaf* last) noexcept {
    while (first != last) {
      Leaf* const next = first->copy();
      retire_leaf(barrier, tree, first);
      first = next;
    }
  }

  // Of one that is replaced, with the keys that stayed for its sake.
  static void retire_leaf(const ebr::Barrier& barrier, Tree& tree, Leaf* leaf) noexcept {
    std::ptrdiff_t bytes = memory_of(leaf);
    if constexpr (Slots::kKeysInEntries) {
      leaf->for_each_hidden(leaf->load(), [&](const Place& place) {
        bytes += Slots::entry_bytes(*place.payload);
        Slots::retire_key(barrier, *place.payload);
      });
    }
    tree.counters.add(0, -bytes);
    barrier.retire(leaf, &Leaf::destroy, leaf->bytes());
  }
  static void retire_inner(const ebr::Barrier& barrier, Inner* node) noexcept {
    barrier.retire(node, &Inner::destroy, node->bytes());
  }
  static void retire_tree(const ebr::Barrier& barrier, Tree* tree) noexcept {
    barrier.retire(tree, &Tree::destroy, ebr::detail::kBagBytes);
  }

  // With all that is below and belongs to the tree.
  static void destroy_node(void* node, unsigned level) noexcept {
    level == 0 ? destroy_leaf(static_cast<Leaf*>(node)) : destroy_inner(static_cast<Inner*>(node));
  }
  static void destroy_inner(Inner* node) noexcept {
    for (unsigned i = 0; i + 1 < node->child_count; ++i) Slots::destroy_separator(node->separator(i));
    for (unsigned i = 0; i < node->child_count; ++i) {
      destroy_node(node->child(i), node->level - 1);
    }
    Inner::destroy(node);
  }
  // With its copies.
  static void destroy_leaf(Leaf* leaf) noexcept {
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

  const Compare compare_;
  [[no_unique_address]] const Memory memory_;
  alignas(64) Atomic<Tree*> tree_;
};

}  // namespace scree::detail
