// SPDX-License-Identifier: Apache-2.0
//
// One structural change of a TreeIndex: the locks it holds, the nodes it builds, what it replaces. Steps S1-S6:
// docs/protocols/leaf.md.

#pragma once

#include <array>
#include <cassert>
#include <cstddef>

#include <scree/detail/tree_inner.h>
#include <scree/detail/tree_leaf.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree::detail {

// That went with their leaves.
template <class Place>
struct TakenEntries {
  std::size_t count = 0;
  Place last{};
};

// On destruction it is undone unless it was published, the locks are opened, and only then what it replaced is retired:
// a retirement may run destructors of the user's, which may use this index.
template <class Structure>
class TreeChange {
  using Slots = typename Structure::Slots;
  using Place = typename Structure::Place;
  using Separator = typename Structure::Separator;
  using Leaf = typename Structure::Leaf;
  using View = typename Structure::View;
  using Inner = typename Structure::Inner;
  using Path = typename Structure::Path;
  using Tree = typename Structure::Tree;
  using Refusal = typename Structure::Refusal;

 public:
  // With `refusal`, it does not wait for a lock: it is undone, and `refusal` says for which lock.
  TreeChange(Structure& structure, const ebr::Barrier& barrier, Path& path, Refusal* refusal)
      : structure_(structure), barrier_(barrier), path_(path), refusal_(refusal) {}
  TreeChange(const TreeChange&) = delete;
  TreeChange& operator=(const TreeChange&) = delete;

  ~TreeChange() {
    if (!published_) {
      for (unsigned i = 0; i < new_leaf_count_; ++i) Leaf::destroy(new_leaves_[i]);
      for (unsigned i = 0; i < new_inner_count_; ++i) Inner::destroy(new_inners_[i]);
      if (owns_separator_) Slots::destroy_separator(separator_);
      unseal();
      for (unsigned i = 0; i < old_leaf_count_; ++i) old_leaves_[i]->resolve(nullptr);
    }
    if (root_locked_) path_.tree->lock.unlock();
    unsigned replaced = 0;
    for (unsigned i = 0; i < locked_count_; ++i) {
      Inner* const node = locked_[i];
      if (node->level <= replaced_levels_) {
        node->lock.kill();
        locked_[replaced++] = node;
      } else {
        node->lock.unlock();
      }
    }
    Tree& tree = *path_.tree;
    for (unsigned i = 0; i < skipped_count_; ++i) {
      Structure::retire_leaves(barrier_, tree, skipped_[i].first, skipped_[i].last);
    }
    if (!published_) return;
    std::ptrdiff_t bytes = new_bytes_;
    for (unsigned i = 0; i < old_leaf_count_; ++i) {
      Leaf* const leaf = old_leaves_[i];
      if (with_entries_) {
        leaf->for_each(leaf->load(), [&](const Place& place) {
          bytes -= Slots::entry_bytes(*place.payload);
          Slots::retire_entry(barrier_, *place.payload);
        });
      }
      if (!relinked_) Structure::retire_leaf(barrier_, tree, leaf);
    }
    for (unsigned i = 0; i < replaced; ++i) {
      bytes -= Structure::memory_of(locked_[i]);
      Structure::retire_inner(barrier_, locked_[i]);
    }
    for (unsigned i = old_separators_.begin; i < old_separators_.end; ++i) {
      const Separator separator = old_separators_.node->separator(i);
      bytes -= Slots::separator_bytes(separator);
      Slots::retire_separator(barrier_, separator);
    }
    tree.counters.add(with_entries_ ? -static_cast<std::ptrdiff_t>(taken_.count) : 0, bytes);
  }

  // S1. False if the path is out of date, or it is refused.
  bool claim(Leaf* leaf) {
    const typename Path::Step& step = path_.at[1];
    if (!lock(step.node)) return false;
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
    Leaf* const copy = structure_.copy_of(view, 0, view.count(), kLeafSlots);
    new_bytes_ += Structure::memory_of(copy);
    leaf->resolve(copy);
    published_ = true;
    relinked_ = !step.node->exchange_child(step.index, leaf, copy);
  }

  // S2-S6. In the middle, except where keys arrive in order at an edge of the tree: there the full side stays full.
  template <class Probe>
  void split_leaf(const View& view, const Probe& probe) {
    seal(path_.at[1].node);
    SCREE_SYNC_POINT("tree:split:frozen");
    const unsigned count = view.count();
    const unsigned rank = view.rank_of(structure_.compare(), probe);
    unsigned low_count = count / 2, low_slots = kLeafSlots, high_slots = kLeafSlots;
    if (rank == count && path_.on_right_edge(1)) {
      low_count = kLeafBase;
      low_slots = 0;
    } else if (rank == 0 && path_.on_left_edge(1)) {
      low_count = count - kLeafBase;
      high_slots = 0;
    }
    Leaf* const low = keep(structure_.copy_of(view, 0, low_count, low_slots));
    Leaf* const high = keep(structure_.copy_of(view, low_count, count, high_slots));
    separator_ = Slots::make_separator(structure_.memory(), high->base_place(0));
    owns_separator_ = true;
    new_bytes_ += Slots::separator_bytes(separator_);
    insert_child(1, low, separator_, high, probe);
    SCREE_SYNC_POINT("tree:split:published");
  }

  // S2-S6. The lowest ancestor with another child loses the branch; below it there is nothing but this leaf. False if
  // it is the only one; true also if it is refused.
  template <class Probe>
  bool unlink_leaf(const Probe& probe) {
    SCREE_SYNC_POINT("tree:unlink:frozen");
    unsigned level = 1;
    for (; path_.at[level].node->child_count == 1; ++level) {
      if (!lock_parent(level, probe)) return true;
      if (root_locked_) return false;
    }
    if (level == 1) seal(path_.at[1].node);
    const unsigned index = path_.at[level].index;
    remove_children(level, index, index + 1, nullptr, probe);
    return true;
  }

  // S1-S6. Unlinks the leaf on the path and those after it below the same parent, with the entries that they have, as
  // long as `goes` says so of a view of each; one leaf stays, but if it is the only one there. None if it is refused.
  template <class Goes, class Probe>
  TakenEntries<Place> remove_leaves(const Goes& goes, const Probe& probe) {
    Inner* const node = path_.at[1].node;
    if (!lock(node)) return {};
    const unsigned begin = path_.at[1].index;
    const unsigned most = node->child_count == 1 ? 1 : node->child_count - 1;
    unsigned end = begin;
    while (end < node->child_count && end - begin < most && take(static_cast<Leaf*>(node->child(end)), goes)) ++end;
    if (begin == end) return {};
    SCREE_SYNC_POINT("tree:range:frozen");
    if (node->child_count == 1) {
      if (!unlink_leaf(probe)) replace_leaf(View());
    } else {
      seal(node);
      remove_children(1, begin, end, nullptr, probe);
    }
    if (!published_) return {};
    with_entries_ = true;
    return taken_;
  }

  // S2-S6. With a neighbour below the same parent, if both fit into one and leave room. False if not; true also if it
  // is refused.
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
    const View theirs(structure_.compare(), *neighbour, word);
    SCREE_SYNC_POINT("tree:merge:frozen");
    const View& low = index == 0 ? view : theirs;
    const View& high = index == 0 ? theirs : view;
    Leaf* const both = keep(Leaf::make(structure_.memory(), low.count() + high.count(), kLeafSlots));
    low.copy(0, low.count(), *both, 0);
    high.copy(0, high.count(), *both, low.count());
    remove_children(1, left + 1, left + 2, both, probe);
    // Copies before it that are still linked in the node that is replaced.
    if (published_) skipped_[skipped_count_++] = {first, neighbour};
    return true;
  }

 private:
  // Copied leaves that this change has unlinked, up to the one that took their place.
  struct Chain {
    Leaf* first;
    const Leaf* last;
  };
  // Those of numbers [begin, end) of a node.
  struct Separators {
    const Inner* node;
    unsigned begin, end;
  };

  // False if the node is dead, or it is refused.
  bool lock(Inner* node) noexcept {
    if (!acquire(*node)) return false;
    locked_[locked_count_++] = node;
    return true;
  }
  // Of a node or the tree.
  template <class Owner>
  bool acquire(Owner& owner) noexcept {
    if (refusal_ == nullptr) return owner.lock.lock();
    if (owner.lock.try_lock()) return true;
    if (!owner.lock.is_killed()) refusal_->refuse(owner);
    return false;
  }
  bool is_refused() const noexcept { return refusal_ != nullptr && *refusal_; }
  // Claims a frozen leaf, to replace it or to give it up in the end.
  bool hold(Leaf* leaf) noexcept {
    if (!leaf->claim()) return false;
    old_leaves_[old_leaf_count_++] = leaf;
    return true;
  }
  // Freezes and claims a leaf that is to go with its entries. False if it is not, or has been copied.
  template <class Goes>
  bool take(Leaf* leaf, const Goes& goes) {
    if (!goes(View(structure_.compare(), *leaf, leaf->load()))) return false;
    const View view(structure_.compare(), *leaf, leaf->freeze());
    if (!goes(view) || !hold(leaf)) return false;
    if (view.count() == 0) return true;
    taken_.count += view.count();
    taken_.last = view.place_at(view.count() - 1);
    return true;
  }
  void seal(Inner* node) noexcept {
    node->seal();
    sealed_[sealed_count_++] = node;
  }
  void unseal() noexcept {
    while (sealed_count_ != 0) sealed_[--sealed_count_]->unseal();
  }
  Leaf* keep(Leaf* leaf) noexcept {
    new_bytes_ += Structure::memory_of(leaf);
    return new_leaves_[new_leaf_count_++] = leaf;
  }
  Inner* new_inner(unsigned level, unsigned children) {
    Inner* node = new_inners_[new_inner_count_] = Inner::make(structure_.memory(), level, children);
    ++new_inner_count_;
    new_bytes_ += Structure::memory_of(node);
    return node;
  }
  void destroy(Inner* node) noexcept {
    new_bytes_ -= Structure::memory_of(node);
    Inner::destroy(node);
  }
  void drop(Inner* node) noexcept {
    assert(new_inners_[new_inner_count_ - 1] == node);
    --new_inner_count_;
    destroy(node);
  }

  // S4. Locks the parent of the path's node at `level`, which this change has locked and found alive, or the root's
  // lock, and brings the path above it up to date. False if it is refused.
  template <class Probe>
  bool lock_parent(unsigned level, const Probe& probe) {
    Inner* node = path_.at[level].node;
    for (;;) {
      if (level < path_.top) {
        const typename Path::Step& up = path_.at[level + 1];
        if (lock(up.node)) {
          if (up.node->child(up.index) == node) return true;
          up.node->lock.unlock();
          --locked_count_;
        }
      } else if (acquire(*path_.tree)) {
        if (path_.tree->root.load(memory_order_relaxed) == node) {
          root_locked_ = true;
          return true;
        }
        path_.tree->lock.unlock();
      }
      if (is_refused()) return false;
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
    if (!lock_parent(level, probe)) return;
    if (!root_locked_) return insert_child(level + 1, low, middle, high, probe);
    Inner* root = new_inner(level + 1, 2);
    root->set_child(0, low);
    root->set_child(1, high);
    root->set_separator(0, middle);
    publish_root(root, level);
  }

  // S3-S5. Takes the children [begin, end), and as many separators, out of the path's node at `level`.
  template <class Probe>
  void remove_children(unsigned level, unsigned begin, unsigned end, void* merged, const Probe& probe) {
    Inner* const reduced = without_children(level, begin, end, merged);
    const unsigned separator = separator_before(begin);
    old_separators_ = {path_.at[level].node, separator, separator + (end - begin)};
    install(level, reduced, probe);
  }
  // S3. A copy of the path's node at `level` without these. Their range goes to the child before or, if there is none,
  // to the one after. `merged`, if there is one, takes the place of the child before.
  Inner* without_children(unsigned level, unsigned begin, unsigned end, void* merged) {
    const Inner* const node = path_.at[level].node;
    Inner* const reduced = new_inner(level, node->child_count - (end - begin));
    for (unsigned i = 0, to = 0; i < node->child_count; ++i) {
      if (i >= begin && i < end) continue;
      reduced->set_child(to++, merged != nullptr && i + 1 == begin ? merged : node->child(i));
    }
    const unsigned separator = separator_before(begin);
    for (unsigned i = 0, to = 0; i + 1 < node->child_count; ++i) {
      if (i < separator || i >= separator + (end - begin)) reduced->set_separator(to++, node->separator(i));
    }
    return reduced;
  }
  static unsigned separator_before(unsigned child) noexcept { return child == 0 ? 0 : child - 1; }

  // S5. Publishes `fresh` in the place of the path's node at `level`.
  template <class Probe>
  void install(unsigned level, Inner* fresh, const Probe& probe) {
    if (!lock_parent(level, probe)) return;
    if (!root_locked_) {
      if (fresh->child_count < Structure::kInnerLow && merge_inner(level, fresh, probe)) return;
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
  // one is only tried. True also if it is refused.
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
    discarded_[discarded_count_++] = fresh;
    // The separator between the two stays in use, in the merged node.
    install(level + 1, without_children(level + 1, left + 1, left + 2, both), probe);
    return true;
  }

  // The first node from `node` down that has several children or leaves. Those above it die. Locks are taken upwards,
  // so here they are only tried: where somebody holds one, the tree stays taller than it need be.
  Inner* branching(Inner* node) noexcept {
    while (node->child_count == 1 && node->level > 1 && !is_new(node) && node->lock.try_lock()) {
      locked_[locked_count_++] = node;
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

  // Every node up to `level` that this change has locked is replaced: a neighbour or the only child of one, too.
  void finish(unsigned level) noexcept {
    published_ = true;
    replaced_levels_ = level;
    for (unsigned i = 0; i < discarded_count_; ++i) destroy(discarded_[i]);
  }

  Structure& structure_;
  const ebr::Barrier& barrier_;
  Path& path_;
  Refusal* const refusal_;  // null: it may wait
  std::array<Inner*, 3 * Structure::kMaxLevels> locked_;
  std::array<Inner*, 3 * Structure::kMaxLevels> new_inners_;
  std::array<Inner*, Structure::kMaxLevels> discarded_;  // new ones that were merged into another
  std::array<Leaf*, 2> new_leaves_;
  std::array<Leaf*, kInnerChildren> old_leaves_;
  std::array<Inner*, 2> sealed_;
  std::array<Chain, 2> skipped_;
  Separators old_separators_{};
  std::ptrdiff_t new_bytes_ = 0;  // of what this change has made
  unsigned locked_count_ = 0;
  unsigned new_inner_count_ = 0;
  unsigned discarded_count_ = 0;
  unsigned new_leaf_count_ = 0;
  unsigned old_leaf_count_ = 0;
  unsigned sealed_count_ = 0;
  unsigned skipped_count_ = 0;
  TakenEntries<Place> taken_;
  unsigned replaced_levels_ = 0;  // of the nodes locked, those from here down are dead when the locks open
  bool root_locked_ = false;
  bool published_ = false;
  bool relinked_ = false;        // by somebody who retires the leaf that is replaced
  bool with_entries_ = false;    // the leaves go with what they have
  bool owns_separator_ = false;  // a new one, until it is published
  Separator separator_{};
};

}  // namespace scree::detail
