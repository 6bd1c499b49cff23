// SPDX-License-Identifier: Apache-2.0
//
// What a TreeIndex holds, found by walking through its nodes while nobody writes.

#pragma once

#include <cstddef>
#include <type_traits>

#include <scree/tree_index.h>

namespace scree::test {

struct TreeWalk {
  std::size_t entries = 0;
  std::size_t bytes = 0;
  std::size_t leaves = 0;
  std::size_t inner_nodes = 0;
  std::size_t least_entries = ~std::size_t{0};  // of a leaf
  std::size_t least_children = ~std::size_t{0};
};

template <class K, class V, class Compare, class Allocator>
TreeWalk walk_through(const TreeIndex<K, V, Compare, Allocator>& index) {
  using Index = TreeIndex<K, V, Compare, Allocator>;
  using Slots = detail::TreeSlots<K, V, Compare, detail::memory_of_t<Allocator>>;
  using Structure = detail::TreeStructure<Slots>;
  using Leaf = typename Structure::Leaf;
  using Inner = typename Structure::Inner;
  // Its only member.
  static_assert(std::is_standard_layout_v<Index>);
  static_assert(sizeof(Structure) == sizeof(Index));
  const auto& structure = reinterpret_cast<const Structure&>(index);

  const ebr::Barrier barrier;
  TreeWalk walk;
  walk.bytes = Structure::Tree::bytes();
  const auto add_entry = [&](const auto& place) {
    walk.bytes += static_cast<std::size_t>(Slots::entry_bytes(*place.payload));
  };
  const auto add_leaves = [&](const Leaf* leaf) {
    for (; leaf != nullptr; leaf = leaf->copy()) {
      ++walk.leaves;
      walk.bytes += static_cast<std::size_t>(Structure::memory_of(leaf));
      if constexpr (Slots::kKeysInEntries) leaf->for_each_hidden(leaf->load(), add_entry);
      if (leaf->copy() != nullptr) continue;
      const std::size_t count = leaf->count(leaf->load());
      walk.entries += count;
      if (count < walk.least_entries) walk.least_entries = count;
      leaf->for_each(leaf->load(), add_entry);
    }
  };
  const auto add_inner = [&](const auto& self, const Inner* node) -> void {
    ++walk.inner_nodes;
    walk.bytes += static_cast<std::size_t>(Structure::memory_of(node));
    if (node->child_count < walk.least_children) walk.least_children = node->child_count;
    for (unsigned i = 0; i + 1 < node->child_count; ++i) {
      walk.bytes += static_cast<std::size_t>(Slots::separator_bytes(node->separator(i)));
    }
    for (unsigned i = 0; i < node->child_count; ++i) {
      if (node->level == 1) {
        add_leaves(static_cast<const Leaf*>(node->child(i)));
      } else {
        self(self, static_cast<const Inner*>(node->child(i)));
      }
    }
  };
  add_inner(add_inner, structure.tree()->root.load(memory_order_acquire));
  return walk;
}

// Whether len() and memory_usage() are what a walk finds.
template <class Index>
bool size_is_exact(const Index& index) {
  const TreeWalk walk = walk_through(index);
  return index.len() == walk.entries && index.memory_usage() == walk.bytes;
}

}  // namespace scree::test
