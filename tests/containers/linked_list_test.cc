// SPDX-License-Identifier: Apache-2.0
//
// LinkedList on one thread; beside a std::vector under generated operations.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/linked_list.h>

#include "linked_list_node.h"
#include "reclaim.h"

namespace scree::test {
namespace {

using ebr::Barrier;

static_assert(!std::is_copy_constructible_v<Node>);

TEST(LinkedList, example_of_the_document) {
  const Barrier barrier;
  const Node head(0);
  const ebr::Arc<Node> tail = ebr::Arc<Node>::make(1);

  EXPECT_TRUE(head.push_back(tail.clone(), false, barrier));

  EXPECT_TRUE(head.mark());
  EXPECT_TRUE(head.is_marked());
  EXPECT_FALSE(head.is_clear());

  EXPECT_EQ(head.next_ptr(barrier)->number, 1);

  EXPECT_TRUE(tail->delete_self());
  EXPECT_TRUE(tail->is_deleted());
  EXPECT_TRUE(head.next_ptr(barrier).is_null()) << "once it is deleted it is invisible";
}

TEST(LinkedList, of_one_node_has_no_next) {
  const Barrier barrier;
  const Node node(0);
  EXPECT_TRUE(node.next_ptr(barrier).is_null());
  EXPECT_TRUE(node.is_clear());
  EXPECT_FALSE(node.is_marked());
  EXPECT_FALSE(node.is_deleted());
}

TEST(LinkedList, pushes_right_behind_the_node_and_returns_the_entry) {
  const Barrier barrier;
  const Node head(0);
  for (int n = 1; n <= 3; ++n) {
    const auto pushed = head.push_back(ebr::Arc<Node>::make(n), false, barrier);
    ASSERT_TRUE(pushed);
    EXPECT_EQ(pushed.ptr->number, n);
    EXPECT_EQ(pushed.ptr.tag(), ebr::Tag::kNone);
    EXPECT_TRUE(pushed.entry.is_null());
  }
  EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{3, 2, 1}));
}

TEST(LinkedList, gives_the_entry_back_behind_a_deleted_node) {
  const Barrier barrier;
  const Node head(0);
  ASSERT_TRUE(head.push_back(ebr::Arc<Node>::make(1), false, barrier));
  EXPECT_TRUE(head.delete_self());
  auto refused = head.push_back(ebr::Arc<Node>::make(2), true, barrier);
  EXPECT_FALSE(refused);
  ASSERT_TRUE(refused.entry);
  EXPECT_EQ(refused.entry->number, 2);
  EXPECT_TRUE(refused.entry->is_clear());
  EXPECT_TRUE(refused.entry->link_ref().is_null()) << "it holds nothing of the list";
  const Node other(3);
  EXPECT_TRUE(other.push_back(std::move(refused.entry), false, barrier)) << "and can be pushed elsewhere";
  EXPECT_EQ(numbers_behind(head, barrier), std::vector<int>{1}) << "a deleted node still leads on";
}

TEST(LinkedList, is_deleted_once_and_for_good) {
  const Node node(0);
  EXPECT_TRUE(node.mark());
  EXPECT_TRUE(node.delete_self());
  EXPECT_FALSE(node.delete_self());
  EXPECT_FALSE(node.mark());
  EXPECT_FALSE(node.unmark());
  EXPECT_TRUE(node.is_deleted());
  EXPECT_FALSE(node.is_clear());
  EXPECT_FALSE(node.is_marked()) << "deletion ends the mark";
}

TEST(LinkedList, is_marked_until_it_is_unmarked_or_something_is_pushed_without_a_mark) {
  const Barrier barrier;
  const Node head(0);
  EXPECT_FALSE(head.unmark());
  EXPECT_TRUE(head.mark());
  EXPECT_FALSE(head.mark());
  EXPECT_TRUE(head.unmark());
  EXPECT_TRUE(head.is_clear());
  EXPECT_TRUE(head.push_back(ebr::Arc<Node>::make(1), true, barrier));
  EXPECT_TRUE(head.is_marked());
  EXPECT_TRUE(head.push_back(ebr::Arc<Node>::make(2), false, barrier));
  EXPECT_TRUE(head.is_clear());
  EXPECT_TRUE(head.push_back(ebr::Arc<Node>::make(3), true, barrier));
  head.next_ptr(barrier)->delete_self();
  EXPECT_EQ(head.next_ptr(barrier).tag(), ebr::Tag::kNone);
  EXPECT_TRUE(head.is_marked()) << "unlinking leaves it as it is";
  EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{2, 1}));
}

TEST(LinkedList, unlinks_what_is_deleted_and_frees_it_after_the_barrier) {
  Atomic<int> alive{0};
  {
    const Node head(0);
    {
      const Barrier barrier;
      for (int n = 5; n >= 1; --n) head.push_back(ebr::Arc<Node>::make(n, &alive), false, barrier);
      EXPECT_EQ(alive, 5);
      auto deleted = head.next_ptr(barrier);
      for (int n = 1; n <= 3; ++n, deleted = deleted->next_ptr(barrier)) deleted->delete_self();
      EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{4, 5}));
      EXPECT_EQ(alive, 5) << "they stay as long as somebody may look at them";
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 2);
    const Barrier barrier;
    EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{4, 5}));
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// A walk that stands at a node while it and its neighbours are deleted goes on to what is left.
TEST(LinkedList, leads_on_from_a_node_that_was_unlinked) {
  const Barrier barrier;
  const Node head(0);
  for (int n = 6; n >= 1; --n) head.push_back(ebr::Arc<Node>::make(n), false, barrier);
  const auto second = head.next_ptr(barrier)->next_ptr(barrier);
  auto node = head.next_ptr(barrier);
  for (int n = 1; n <= 4; ++n, node = node->next_ptr(barrier)) node->delete_self();
  EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{5, 6}));
  EXPECT_EQ(numbers_behind(*second, barrier), (std::vector<int>{5, 6}));
  head.next_ptr(barrier)->delete_self();
  EXPECT_EQ(numbers_behind(head, barrier), std::vector<int>{6});
  EXPECT_EQ(numbers_behind(*second, barrier), std::vector<int>{6});
}

TEST(LinkedList, destroys_a_long_chain_of_deleted_nodes_without_recursion) {
  constexpr int kNodes = 200'000;
  Atomic<int> alive{0};
  const Node head(0);
  {
    const Barrier barrier;
    for (int n = 0; n < kNodes; ++n) head.push_back(ebr::Arc<Node>::make(n, &alive), false, barrier);
    // Their predecessors are deleted, too: nobody but the head can unlink them, all at once.
    std::vector<ebr::Ptr<Node>> all;
    for (auto node = head.next_ptr(barrier); node; node = node->next_ptr(barrier)) all.push_back(node);
    for (auto node = all.rbegin(); node != all.rend(); ++node) (*node)->delete_self();
    EXPECT_TRUE(head.next_ptr(barrier).is_null());
    EXPECT_TRUE(head.link_ref().is_null()) << "unlinked";
  }
  EXPECT_TRUE(reclaim_all(10 * kNodes));
  EXPECT_EQ(alive, 0);
}

// Generated operations on nodes chosen anywhere in the list, deleted ones included.
RC_GTEST_PROP(LinkedListModel, agrees_with_a_vector, ()) {
  Atomic<int> alive{0};
  {
    const Barrier barrier;
    const auto head = ebr::Arc<Node>::make(0, &alive);
    struct Known {
      ebr::Ptr<Node> node;
      bool deleted = false, marked = false;
    };
    std::vector<Known> nodes{{head.ptr(barrier)}};  // by number
    std::vector<int> order{0};                      // of all nodes, deleted ones included
    const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::arbitrary<int>()));
    for (const auto& [kind, choice] : steps) {
      const auto number = static_cast<int>(static_cast<unsigned>(choice) % nodes.size());
      Known& known = nodes[number];
      std::vector<Known> fresh;
      const auto place = std::find(order.begin(), order.end(), number);
      if (kind <= 2) {
        const bool mark = kind == 0;
        auto entry = ebr::Arc<Node>::make(static_cast<int>(nodes.size()), &alive);
        const auto pushed = known.node->push_back(std::move(entry), mark, barrier);
        RC_ASSERT(static_cast<bool>(pushed) == !known.deleted);
        RC_ASSERT(pushed.entry.is_null() == !known.deleted);
        if (pushed) {
          known.marked = mark;
          order.insert(place + 1, static_cast<int>(nodes.size()));
          fresh.push_back({pushed.ptr});
        }
      } else if (kind == 3) {
        RC_ASSERT(known.node->mark() == (!known.deleted && !known.marked));
        known.marked = !known.deleted;
      } else if (kind == 4) {
        RC_ASSERT(known.node->unmark() == known.marked);
        known.marked = false;
      } else if (kind == 5) {
        RC_ASSERT(known.node->delete_self() == !known.deleted);
        known.deleted = true;
        known.marked = false;
      } else {
        const auto expected = std::find_if(place + 1, order.end(), [&](int n) { return !nodes[n].deleted; });
        const auto next = known.node->next_ptr(barrier);
        // From a deleted node what was pushed before it later may not be seen, but never one that was behind it.
        RC_ASSERT(next.is_null() == (expected == order.end()));
        if (next) RC_ASSERT(next->number == *expected);
      }
      RC_ASSERT(known.node->is_deleted() == known.deleted);
      RC_ASSERT(known.node->is_marked() == known.marked);
      RC_ASSERT(known.node->is_clear() == (!known.deleted && !known.marked));
      nodes.insert(nodes.end(), fresh.begin(), fresh.end());
    }
    std::vector<int> expected;
    for (const int n : order) {
      if (n != 0 && !nodes[n].deleted) expected.push_back(n);
    }
    RC_ASSERT(numbers_behind(*head, barrier) == expected);
  }
  RC_ASSERT(reclaim_all());
  RC_ASSERT(alive == 0);
}

}  // namespace
}  // namespace scree::test
