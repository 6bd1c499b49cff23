// SPDX-License-Identifier: Apache-2.0
//
// The structure of a TreeIndex: descent, split, compaction, unlinking of empty leaves, replacement of the whole.
// Protocol, steps S1-S6 and invariants: docs/protocols/leaf.md.
//
// Readers only load child pointers. A structural change locks the parent of what it replaces, then as many
// ancestors as it must replace too, bottom-up; it builds all new nodes aside and publishes them with one store. Inner nodes are
// replaced, never changed but for one child pointer, so what a reader holds stays a valid partition of the keys.

#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <mutex>

#include <scree/detail/tree_node.h>
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
  using Separator = typename Slots::Separator;
  using Leaf = TreeLeaf<Slots>;
  using Inner = TreeInner<Slots>;

  static constexpr unsigned kMaxLevels = 40;

  // The inner nodes of a descent by level (1: parent of the leaf) and the child taken in each. A node's level
  // never changes, whatever the root does.
  struct Path {
    struct Step {
      Inner* node;
      unsigned index;
    };
    std::array<Step, kMaxLevels> at;
    unsigned top = 0;  // the root's level

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

  explicit TreeStructure(const Compare& compare) : compare_(compare), root_(new_empty_root()) {}
  ~TreeStructure() {
    ebr::Barrier barrier;
    retire_tree(barrier, root_.load(memory_order_acquire));
  }
  TreeStructure(const TreeStructure&) = delete;
  TreeStructure& operator=(const TreeStructure&) = delete;

  const Compare& compare() const noexcept { return compare_; }
  Inner* root() const noexcept { return root_.load(memory_order_acquire); }

  template <class Probe>
  Leaf* descend(const Probe& probe, Path* path = nullptr) const {
    Inner* node = root_.load(memory_order_acquire);
    if (path != nullptr) path->top = node->level;
    for (;;) {
      const unsigned index = node->child_index(compare_, probe);
      if (path != nullptr) path->at[node->level] = {node, index};
      void* child = node->child(index);
      if (node->level == 1) {
        prefetch_lines(child, sizeof(Leaf));
        return static_cast<Leaf*>(child);
      }
      node = static_cast<Inner*>(child);
      prefetch_lines(node, offsetof(Inner, children));
    }
  }

  // Parks until the change that froze the leaf below `path` is over; the caller then descends again.
  static void await_change(Path& path) { std::lock_guard<Lock> parked(path.at[1].node->lock); }

  // S1-S6: `leaf` has handed out all its slots: replaces it by one leaf (when enough entries were removed) or two. `probe`: the key about
  // to be inserted, which decides where to split at the edges. Strong guarantee; the caller descends again.
  template <class Probe>
  void make_room(const ebr::Barrier& barrier, Path& path, Leaf* leaf, const Probe& probe) {
    Change change(*this, barrier, path);
    if (!change.lock_parent_of(leaf)) return;
    const LeafWord frozen = change.freeze(leaf);
    SCREE_SYNC_POINT("tree:split:frozen");
    const unsigned live = frozen.live();
    if (live <= kLeafSlots / 2) {
      Leaf* copy = change.new_leaf(*leaf, frozen, 0, live);
      change.replace_leaf(copy);
      return;
    }
    const unsigned left = split_point(path, *leaf, frozen, probe);
    Leaf* low = change.new_leaf(*leaf, frozen, 0, left);
    Leaf* high = change.new_leaf(*leaf, frozen, left, live);
    change.split_leaf(low, leaf->at(frozen, left), high, probe);
    SCREE_SYNC_POINT("tree:split:published");
  }

  // Unlinks the leaf of `probe`, which was `leaf`, if it is still empty and not the only one; its range goes to a neighbour. The
  // removal that emptied it has taken effect, so nothing is thrown: if memory is short or `compare` throws, the leaf stays.
  template <class Probe>
  void unlink_if_empty(const ebr::Barrier& barrier, Path& path, Leaf* leaf, const Probe& probe) noexcept {
    try {
      do {
        Change change(*this, barrier, path);
        if (change.lock_parent_of(leaf)) {
          if (change.freeze(leaf).live() != 0) return;
          SCREE_SYNC_POINT("tree:unlink:frozen");
          return change.unlink_leaf(probe);
        }
        // Somebody replaced the parent or the leaf: what is there now may be as empty.
        leaf = descend(probe, &path);
      } while (leaf->load().live() == 0);
    } catch (...) {
    }
  }

  // Replaces everything by an empty tree.
  void clear(const ebr::Barrier& barrier) {
    std::unique_ptr<Inner, RootDeleter> fresh(new_empty_root());
    Inner* old;
    {
      std::lock_guard<Lock> guard(root_lock_);
      old = root_.exchange(fresh.release(), memory_order_acq_rel);
    }
    retire_tree(barrier, old);
  }

 private:
  // All lines of a node at once: a search that meets them one by one waits for each.
  static void prefetch_lines(const void* node, std::size_t bytes) noexcept {
    for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(node) + i);
  }

  struct RootDeleter {
    void operator()(Inner* root) const noexcept {
      delete static_cast<Leaf*>(root->child(0));
      delete root;
    }
  };

  static Inner* new_empty_root() {
    auto leaf = std::make_unique<Leaf>();
    auto* root = new Inner(1, 1);
    root->children[0].store(leaf.release(), memory_order_relaxed);
    return root;
  }

  // In the middle, except where keys arrive in order at an edge of the tree: there the full side stays full.
  template <class Probe>
  unsigned split_point(const Path& path, const Leaf& leaf, LeafWord w, const Probe& probe) const {
    const unsigned live = w.live();
    const unsigned rank = leaf.rank_of(compare_, w, probe);
    if (rank == live && path.on_right_edge(1)) return live - 1;
    if (rank == 0 && path.on_left_edge(1)) return 1;
    return live / 2;
  }

  void retire_tree(const ebr::Barrier& barrier, Inner* root) noexcept {
    barrier.retire(root, &destroy_tree, ebr::detail::kBagBytes);
  }

  static void destroy_tree(void* root) noexcept { destroy_inner(static_cast<Inner*>(root)); }

  static void destroy_inner(Inner* node) noexcept {
    for (unsigned i = 0; i + 1 < node->child_count; ++i) Slots::destroy_separator(node->separators[i].separator);
    for (unsigned i = 0; i < node->child_count; ++i) {
      if (node->level > 1) {
        destroy_inner(static_cast<Inner*>(node->child(i)));
        continue;
      }
      auto* leaf = static_cast<Leaf*>(node->child(i));
      const LeafWord w = leaf->load();
      for (unsigned rank = 0; rank < w.live(); ++rank) Slots::destroy_entry(leaf->at(w, rank));
      delete leaf;
    }
    delete node;
  }

  // One structural change: the locks it holds, the nodes it builds, what it replaces. On destruction it is undone unless it was
  // published, the locks are opened, and only then what it replaced is retired: a retirement may run destructors of
  // the user's, which may use this index.
  class Change {
   public:
    Change(TreeStructure& tree, const ebr::Barrier& barrier, Path& path)
        : tree_(tree), barrier_(barrier), path_(path) {}
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

    ~Change() {
      if (!published_) {
        for (unsigned i = 0; i < leaf_count_; ++i) delete new_leaves_[i];
        for (unsigned i = 0; i < inner_count_; ++i) delete new_inners_[i];
        if (owns_separator_) Slots::destroy_separator(separator_);
        if (frozen_leaf_ != nullptr) frozen_leaf_->thaw(frozen_word_);
      }
      if (root_locked_) tree_.root_lock_.unlock();
      unsigned replaced = 0;
      for (unsigned i = 0; i < locked_count_; ++i) {
        Inner* node = locked_[i];
        if (node->dead) locked_[replaced++] = node;
        node->lock.unlock();
      }
      if (!published_) return;
      barrier_.retire(frozen_leaf_);
      for (unsigned i = 0; i < replaced; ++i) barrier_.retire(locked_[i]);
      if (drops_separator_) Slots::retire_separator(barrier_, separator_);
    }

    // S1. False if the path is out of date.
    bool lock_parent_of(const Leaf* leaf) {
      const typename Path::Step& step = path_.at[1];
      lock(step.node);
      return !step.node->dead && step.node->child(step.index) == leaf;
    }

    // S2.
    LeafWord freeze(Leaf* leaf) noexcept {
      frozen_word_ = leaf->freeze();
      frozen_leaf_ = leaf;
      return frozen_word_;
    }

    // S3. The live entries of ranks [begin, end).
    Leaf* new_leaf(const Leaf& from, LeafWord w, unsigned begin, unsigned end) {
      Leaf* leaf = new_leaves_[leaf_count_] = new Leaf;
      ++leaf_count_;
      for (unsigned rank = begin; rank < end; ++rank) leaf->slots[rank - begin].slot = from.at(w, rank);
      leaf->word.store(LeafWord::of_sorted(end - begin).bits(), memory_order_relaxed);
      return leaf;
    }

    // S4-S5, where the parent stays as it is.
    void replace_leaf(Leaf* fresh) noexcept {
      const typename Path::Step& step = path_.at[1];
      step.node->children[step.index].store(fresh, memory_order_release);
      published_ = true;
    }

    // S3-S6.
    template <class Probe>
    void split_leaf(Leaf* low, const Slot& first_of_high, Leaf* high, const Probe& probe) {
      separator_ = Slots::make_separator(first_of_high);
      owns_separator_ = true;
      insert_child(1, low, separator_, high, probe);
    }

    // S3-S6.
    template <class Probe>
    void unlink_leaf(const Probe& probe) {
      // The lowest ancestor with another child loses the branch; below it there is nothing but this leaf.
      unsigned level = 1;
      for (; path_.at[level].node->child_count == 1; ++level) {
        if (level == path_.top || !lock_parent(level, probe) || root_locked_) return;
      }
      Inner* node = path_.at[level].node;
      const unsigned index = path_.at[level].index;
      const unsigned gone = index == 0 ? 0 : index - 1;  // the separator that goes with it
      Inner* reduced = new_inner(level, node->child_count - 1);
      for (unsigned i = 0, to = 0; i < node->child_count; ++i) {
        if (i != index) reduced->children[to++].store(node->child(i), memory_order_relaxed);
      }
      for (unsigned i = 0, to = 0; i + 1 < node->child_count; ++i) {
        if (i != gone) reduced->separators[to++] = node->separators[i];
      }
      if (!install(level, reduced, probe)) return;
      separator_ = node->separators[gone].separator;
      drops_separator_ = true;
    }

   private:
    void lock(Inner* node) {
      static_cast<void>(node->lock.lock());  // never killed
      locked_[locked_count_++] = node;
    }

    Inner* new_inner(unsigned level, unsigned children) {
      Inner* node = new_inners_[inner_count_] = new Inner(level, children);
      ++inner_count_;
      return node;
    }

    // S4. Locks the parent of the path's node at `level`, which this change has locked and found alive, and brings the
    // path above it up to date. False if the node belongs to a tree that was cleared away.
    template <class Probe>
    bool lock_parent(unsigned level, const Probe& probe) {
      Inner* node = path_.at[level].node;
      for (;;) {
        if (level < path_.top) {
          const typename Path::Step& up = path_.at[level + 1];
          lock(up.node);
          if (!up.node->dead && up.node->child(up.index) == node) return true;
          up.node->lock.unlock();
          --locked_count_;
        } else {
          static_cast<void>(tree_.root_lock_.lock());
          if (tree_.root_.load(memory_order_relaxed) == node) {
            root_locked_ = true;
            return true;
          }
          tree_.root_lock_.unlock();
        }
        // Somebody replaced the parent: find the node again. It is alive and locked, so it stays where it is found.
        Path fresh;
        tree_.descend(probe, &fresh);
        if (fresh.top < level || fresh.at[level].node != node) return false;
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
      auto separator_at = [&](unsigned i) {
        return i == index ? separator : node->separators[i < index ? i : i - 1].separator;
      };
      auto fill = [&](Inner* to, unsigned begin) {
        for (unsigned i = 0; i < to->child_count; ++i) {
          to->children[i].store(child_at(begin + i), memory_order_relaxed);
        }
        for (unsigned i = 0; i + 1 < to->child_count; ++i) to->separators[i].separator = separator_at(begin + i);
      };
      if (children <= kInnerChildren) {
        Inner* fresh = new_inner(level, children);
        fill(fresh, 0);
        install(level, fresh, probe);
        return;
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
      root->children[0].store(low, memory_order_relaxed);
      root->children[1].store(high, memory_order_relaxed);
      root->separators[0].separator = middle;
      publish_root(root, level);
    }

    // S5. False, with nothing changed, if the tree was cleared away. Publishes `fresh` in the place of the path's node at `level`.
    template <class Probe>
    bool install(unsigned level, Inner* fresh, const Probe& probe) {
      if (!lock_parent(level, probe)) return false;
      if (!root_locked_) {
        const typename Path::Step& up = path_.at[level + 1];
        up.node->children[up.index].store(fresh, memory_order_release);
        finish(level);
        return true;
      }
      if (fresh->child_count == 1 && level > 1) {
        auto* only = static_cast<Inner*>(fresh->child(0));
        assert(new_inners_[inner_count_ - 1] == fresh);
        --inner_count_;
        delete fresh;
        fresh = branching(only);
      }
      publish_root(fresh, level);
      return true;
    }

    // The first node from `node` down that has several children or leaves. Those above it die. Locks are taken upwards, so
    // here they are only tried: where somebody holds one, the tree stays taller than it need be.
    Inner* branching(Inner* node) noexcept {
      while (node->child_count == 1 && node->level > 1 && node->lock.try_lock()) {
        locked_[locked_count_++] = node;
        node->dead = true;
        node = static_cast<Inner*>(node->child(0));
      }
      return node;
    }

    void publish_root(Inner* root, unsigned replaced_up_to) noexcept {
      tree_.root_.store(root, memory_order_release);
      finish(replaced_up_to);
    }

    // S6. The nodes of levels 1 to `level` on the path are replaced: they are dead before their locks open, and retired after.
    void finish(unsigned level) noexcept {
      published_ = true;
      for (unsigned l = 1; l <= level; ++l) path_.at[l].node->dead = true;
    }

    TreeStructure& tree_;
    const ebr::Barrier& barrier_;
    Path& path_;
    std::array<Inner*, 2 * kMaxLevels> locked_;
    std::array<Inner*, 2 * kMaxLevels> new_inners_;
    std::array<Leaf*, 2> new_leaves_;
    unsigned locked_count_ = 0;
    unsigned inner_count_ = 0;
    unsigned leaf_count_ = 0;
    bool root_locked_ = false;
    bool published_ = false;
    bool owns_separator_ = false;   // a new one, until it is published
    bool drops_separator_ = false;  // an old one, that is out of the tree
    Separator separator_{};
    Leaf* frozen_leaf_ = nullptr;  // published: what was replaced
    LeafWord frozen_word_;
  };

  const Compare compare_;
  alignas(64) Atomic<Inner*> root_;
  Lock root_lock_;
};

}  // namespace scree::detail
