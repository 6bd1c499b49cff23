// SPDX-License-Identifier: Apache-2.0
//
// Builds a tree bottom-up from entries that come in order. Nobody else sees it until it is finished.

#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include <scree/atomic.h>
#include <scree/detail/tree_inner.h>
#include <scree/detail/tree_leaf.h>

namespace scree::detail {

// All leaves but the last are full and without slots, all inner nodes but the last of a level are full; where that
// would be small, the last two are of one size. After an exception it can only be destroyed.
template <class Structure>
class TreeBuilder {
  using Slots = typename Structure::Slots;
  using Slot = typename Structure::Slot;
  using Place = typename Structure::Place;
  using Separator = typename Structure::Separator;
  using Leaf = typename Structure::Leaf;
  using Inner = typename Structure::Inner;
  using Tree = typename Structure::Tree;

 public:
  explicit TreeBuilder(const Structure& structure) noexcept : structure_(structure) {}
  ~TreeBuilder() {
    for (const Waiting& entry : waiting_) Slots::destroy_entry(entry.payload);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i >= raised_ && i < next_) continue;
      Slots::destroy_separator(nodes_[i].separator);
      if (nodes_[i].node != nullptr) Structure::destroy_node(nodes_[i].node, level_ + (i < raised_ ? 1 : 0));
    }
  }
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;

  // Takes an entry, unless it throws: if the key is not above the last one, std::invalid_argument.
  void append(const Slot& content) {
    if (waiting_.size() == 2 * kLeafBase) make_leaf(kLeafBase);
    const Waiting entry{content.head, content.payload};
    if (!waiting_.empty() && !Slots::less(structure_.compare(), waiting_.back().place(), entry.place())) {
      throw std::invalid_argument("the keys do not ascend");
    }
    waiting_.push_back(entry);
    bytes_ += Slots::entry_bytes(content.payload);
    ++entries_;
  }

  typename Structure::OwnedTree finish() {
    if (const std::size_t left = waiting_.size(); left > kLeafBase) {
      make_leaf(left < kLeafBase + Structure::kLeafLow ? left / 2 : kLeafBase);
    }
    make_leaf(waiting_.size(), kLeafSlots);
    do {
      raise();
    } while (nodes_.size() > 1);
    typename Structure::OwnedTree tree(Tree::make(structure_.memory(), static_cast<Inner*>(nodes_[0].node)));
    nodes_.clear();
    tree->counters.add(entries_, bytes_);
    return tree;
  }

 private:
  // An entry that lies in no leaf yet.
  struct Waiting {
    Plain<typename Slots::Head> head;
    Plain<typename Slots::Payload> payload;

    Place place() const noexcept { return {&head, &payload}; }
  };
  struct Node {
    void* node = nullptr;
    Separator separator{};  // from the node before, if there is one
  };

  // Of the first so many that wait, some of which stay.
  void make_leaf(std::size_t count) { make_leaf(count, count == kLeafBase ? 0 : kLeafSlots); }
  void make_leaf(std::size_t count, unsigned slots) {
    Node& made = nodes_.emplace_back();
    if (nodes_.size() > 1) {
      made.separator = Slots::make_separator(structure_.memory(), waiting_.front().place());
      bytes_ += Slots::separator_bytes(made.separator);
    }
    Leaf* const leaf = Leaf::make(structure_.memory(), static_cast<unsigned>(count), slots);
    made.node = leaf;
    for (unsigned i = 0; i < leaf->base_count(); ++i) leaf->set_base(i, 1, waiting_[i].place());
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    bytes_ += Structure::memory_of(leaf);
  }

  // Makes the parents of the nodes that there are, in their place.
  void raise() {
    while (next_ < nodes_.size()) {
      const std::size_t left = nodes_.size() - next_;
      const std::size_t count = left >= 2 * kInnerChildren || left <= kInnerChildren
                                    ? std::min<std::size_t>(left, kInnerChildren)
                                    : (left + 1) / 2;
      Inner* const parent = Inner::make(structure_.memory(), level_ + 1, static_cast<unsigned>(count));
      for (unsigned i = 0; i < count; ++i) {
        parent->set_child(i, nodes_[next_ + i].node);
        if (i != 0) parent->set_separator(i - 1, nodes_[next_ + i].separator);
      }
      nodes_[raised_++] = {parent, nodes_[next_].separator};
      next_ += count;
      bytes_ += Structure::memory_of(parent);
    }
    nodes_.resize(raised_);
    ++level_;
    raised_ = next_ = 0;
  }

  const Structure& structure_;
  std::vector<Waiting> waiting_;
  // Nodes of one level: first those that have been raised above it, then, from `next_` on, those that are to be.
  std::vector<Node> nodes_;
  unsigned level_ = 0;
  std::size_t raised_ = 0, next_ = 0;

  std::ptrdiff_t entries_ = 0, bytes_ = 0;
};

}  // namespace scree::detail
