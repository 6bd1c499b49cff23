// SPDX-License-Identifier: Apache-2.0
//
// TreeRefusal: the lock for which an operation of a TreeIndex would have had to wait, and may not, as it is a
// coroutine's: that waits for it outside barriers, and tries the operation again.

#pragma once

#include <cassert>

#include <scree/lock.h>

namespace scree::detail {

// The lock is that of an inner node, or of a whole tree, which is pinned as long as it is named here.
template <class Inner, class Tree>
class TreeRefusal {
 public:
  TreeRefusal() noexcept = default;
  ~TreeRefusal() { forget(); }
  TreeRefusal(const TreeRefusal&) = delete;
  TreeRefusal& operator=(const TreeRefusal&) = delete;

  // Under a barrier that has found the node, or the tree.
  void refuse(Inner& node) noexcept {
    assert(!*this);
    node.pin();
    node_ = &node;
  }
  void refuse(Tree& tree) noexcept {
    assert(!*this);
    tree.pin();
    tree_ = &tree;
  }
  void forget() noexcept {
    if (node_ != nullptr) node_->let_go();
    if (tree_ != nullptr) tree_->let_go();
    node_ = nullptr;
    tree_ = nullptr;
  }

  explicit operator bool() const noexcept { return node_ != nullptr || tree_ != nullptr; }
  Lock& lock() const noexcept { return node_ != nullptr ? node_->lock : tree_->lock; }

 private:
  Inner* node_ = nullptr;
  Tree* tree_ = nullptr;
};

}  // namespace scree::detail
