// SPDX-License-Identifier: Apache-2.0
//
// Arc, AtomicArc and Ptr: who owns, what is borrowed, when it goes.

#include <gtest/gtest.h>

#include <cstddef>
#include <utility>

#include <scree/ebr.h>

#include "reclaim.h"

namespace scree::test {
namespace {

using ebr::Arc;
using ebr::AtomicArc;
using ebr::Barrier;
using ebr::Ptr;
using ebr::Tag;

// The example of the document that the project started from, its gaps filled in.
TEST(Ebr, example_of_the_document) {
  AtomicArc<std::size_t> atomic_arc = AtomicArc<std::size_t>::make(17);
  bool deferred = false;
  {
    const Barrier barrier;
    Ptr<std::size_t> ptr = atomic_arc.load(memory_order_acquire, barrier);
    ASSERT_EQ(*ptr.as_ref(), 17u);

    // The owner is tagged; what was loaded before is not, so a compare-exchange with it fails.
    EXPECT_TRUE(atomic_arc.update_tag_if(
        Tag::kFirst, [](Ptr<std::size_t> p) { return p.tag() == Tag::kNone; }, memory_order_relaxed,
        memory_order_relaxed));
    auto failed = atomic_arc.compare_exchange(ptr, Arc<std::size_t>::make(18), Tag::kFirst, memory_order_acq_rel,
                                              memory_order_acquire, barrier);
    EXPECT_FALSE(failed.exchanged);
    EXPECT_EQ(*failed.owner, 18u) << "the desired owner comes back";
    EXPECT_EQ(failed.current.tag(), Tag::kFirst);

    // Tagged likewise, it succeeds and returns what was owned before.
    ptr.set_tag(Tag::kFirst);
    auto exchanged = atomic_arc.compare_exchange(ptr, std::move(failed.owner), Tag::kSecond, memory_order_acq_rel,
                                                 memory_order_acquire, barrier);
    ASSERT_TRUE(exchanged.exchanged);
    EXPECT_EQ(*exchanged.owner, 17u);
    EXPECT_EQ(exchanged.current.tag(), Tag::kSecond);
    exchanged.owner = {};

    Arc<std::size_t> arc = atomic_arc.try_into_arc(memory_order_acquire);
    EXPECT_EQ(*arc, 18u);
    EXPECT_TRUE(atomic_arc.is_null());
    arc = {};

    reclaim_all(100);
    EXPECT_EQ(*ptr.as_ref(), 17u) << "the barrier keeps what ptr was borrowed from";

    barrier.defer_execute([&deferred] { deferred = true; });
    EXPECT_FALSE(deferred);
    ebr::suspend();
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_TRUE(deferred);
}

TEST(Arc, frees_its_instance_after_the_last_owner_went) {
  Atomic<int> alive{0};
  Arc<Counted> a = Arc<Counted>::make(alive);
  Arc<Counted> b = a.clone();
  a = {};
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 1);
  b = {};
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Arc, release_tells_whether_it_was_the_last_owner) {
  Atomic<int> alive{0};
  {
    const Barrier barrier;
    Arc<Counted> a = Arc<Counted>::make(alive);
    Arc<Counted> b = a.clone();
    EXPECT_FALSE(a.release(barrier));
    EXPECT_TRUE(b.release(barrier));
    EXPECT_TRUE(b.is_null());
    EXPECT_FALSE(b.release(barrier));
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Arc, drops_in_place_what_nobody_else_owns) {
  Atomic<int> alive{0};
  Arc<Counted> a = Arc<Counted>::make(alive);
  Arc<Counted> b = a.clone();
  EXPECT_FALSE(a.release_drop_in_place());
  EXPECT_TRUE(a.is_null());
  EXPECT_EQ(alive, 1);
  EXPECT_TRUE(b.release_drop_in_place());
  EXPECT_EQ(alive, 0) << "without a grace period";
  EXPECT_FALSE(b.release_drop_in_place());
}

TEST(Arc, can_be_changed_by_its_only_owner) {
  Arc<int> a = Arc<int>::make(1);
  ASSERT_NE(a.get_mut(), nullptr);
  *a.get_mut() = 2;
  {
    const Arc<int> b = a.clone();
    EXPECT_EQ(a.get_mut(), nullptr);
  }
  EXPECT_EQ(*a, 2);
  EXPECT_NE(a.get_mut(), nullptr);
  EXPECT_TRUE((a = {}, reclaim_all()));
}

TEST(Arc, deferred_is_dropped_after_the_barrier) {
  Atomic<int> alive{0};
  {
    const Barrier barrier;
    Arc<Counted> a = Arc<Counted>::make(alive);
    barrier.defer(std::move(a));
    EXPECT_TRUE(a.is_null());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Ptr, stays_valid_under_its_barrier_after_the_last_owner_went) {
  Atomic<int> alive{0};
  {
    const Barrier barrier;
    Arc<Counted> a = Arc<Counted>::make(alive, 5);
    const Ptr<Counted> ptr = a.ptr(barrier);
    a = {};
    reclaim_all(100);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(ptr->value(), 5);
    EXPECT_TRUE(ptr.get_arc().is_null()) << "an instance without an owner cannot be owned again";
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Ptr, becomes_an_owner_while_there_is_one) {
  Atomic<int> alive{0};
  Arc<Counted> kept;
  {
    const Barrier barrier;
    Arc<Counted> a = Arc<Counted>::make(alive, 6);
    kept = a.ptr(barrier).get_arc();
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(kept->value(), 6);
  kept = {};
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Ptr, carries_every_tag_beside_the_same_instance) {
  const Arc<int> a = Arc<int>::make(1);
  const Barrier barrier;
  const Ptr<int> plain = a.ptr(barrier);
  for (const Tag tag : {Tag::kNone, Tag::kFirst, Tag::kSecond, Tag::kBoth}) {
    const Ptr<int> tagged = plain.with_tag(tag);
    EXPECT_EQ(tagged.tag(), tag);
    EXPECT_EQ(tagged.as_ref(), plain.as_ref());
    EXPECT_EQ(tagged == plain, tag == Tag::kNone);
    EXPECT_TRUE(tagged.without_tag() == plain);
  }
  EXPECT_TRUE(Ptr<int>().with_tag(Tag::kBoth).is_null());
}

TEST(AtomicArc, starts_null_and_swaps) {
  AtomicArc<int> atomic_arc;
  EXPECT_TRUE(atomic_arc.is_null());
  auto [before, tag_before] = atomic_arc.swap(Arc<int>::make(1), Tag::kBoth, memory_order_acq_rel);
  EXPECT_TRUE(before.is_null());
  EXPECT_EQ(tag_before, Tag::kNone);
  EXPECT_EQ(atomic_arc.tag(), Tag::kBoth);
  auto [one, tag] = atomic_arc.swap({}, Tag::kNone, memory_order_acq_rel);
  EXPECT_EQ(*one, 1);
  EXPECT_EQ(tag, Tag::kBoth);
  EXPECT_TRUE(atomic_arc.is_null());
}

TEST(AtomicArc, stores_and_drops_the_previous_owner_after_the_barrier) {
  Atomic<int> alive{0};
  Arc<Counted> kept;
  {
    AtomicArc<Counted> atomic_arc;
    atomic_arc.store(Arc<Counted>::make(alive, 1), Tag::kFirst);
    EXPECT_EQ(atomic_arc.tag(), Tag::kFirst);
    {
      const Barrier barrier;
      const Ptr<Counted> one = atomic_arc.load(memory_order_acquire, barrier);
      atomic_arc.store(Arc<Counted>::make(alive, 2), Tag::kNone);
      reclaim_all(100);
      EXPECT_EQ(one->value(), 1);
      kept = atomic_arc.get_arc(memory_order_acquire, barrier);
      atomic_arc.store(Arc<Counted>::make(alive, 3), Tag::kNone);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 2) << "what is kept, and what is owned now";
    EXPECT_EQ(kept->value(), 2);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 1);
  kept = {};
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// The owner that a store dropped is counted until a grace period has ended; what was borrowed from a later owner may
// still be in use then.
TEST(AtomicArc, store_leaves_an_instance_that_was_shared_to_whoever_borrowed_it_since) {
  Atomic<int> alive{0};
  AtomicArc<Counted> atomic_arc = AtomicArc<Counted>::make(alive, 1);
  Arc<Counted> shared;
  {
    const Barrier barrier;
    shared = atomic_arc.get_arc(memory_order_acquire, barrier);
  }
  atomic_arc.store({});
  ebr::suspend();  // seals it: a later barrier does not hold it back
  {
    const Barrier barrier;
    const Ptr<Counted> borrowed = shared.ptr(barrier);
    shared = {};
    reclaim_all(100);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(borrowed->value(), 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(AtomicArc, shares_its_instance_with_clones) {
  Atomic<int> alive{0};
  {
    AtomicArc<Counted> copy;
    {
      const Barrier barrier;
      const AtomicArc<Counted> original = AtomicArc<Counted>::make(alive, 8);
      copy.swap(original.get_arc(memory_order_acquire, barrier), Tag::kNone, memory_order_acq_rel);
      const AtomicArc<Counted> another = original.clone(memory_order_acquire, barrier);
      EXPECT_EQ(another.load(memory_order_acquire, barrier)->value(), 8);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(AtomicArc, update_tag_stops_when_its_condition_fails) {
  AtomicArc<int> atomic_arc = AtomicArc<int>::make(1);
  EXPECT_FALSE(atomic_arc.update_tag_if(
      Tag::kFirst, [](Ptr<int> p) { return *p == 2; }, memory_order_acq_rel, memory_order_acquire));
  EXPECT_EQ(atomic_arc.tag(), Tag::kNone);
}

// Under sanitizers an instance takes several times the memory and the time.
#if SCREE_SMALL_CAPACITIES
constexpr std::size_t kChain = 100'000;
#else
constexpr std::size_t kChain = 10'000'000;
#endif

struct Node {
  explicit Node(Arc<Node> n) : next(std::move(n)) {}
  AtomicArc<Node> next;
};

TEST(Arc, a_long_chain_is_destroyed_without_recursion) {
  Arc<Node> head;
  for (std::size_t n = 0; n < kChain; ++n) head = Arc<Node>::make(std::move(head));
  head = {};
  EXPECT_TRUE(reclaim_all(2 * kChain));
}

}  // namespace
}  // namespace scree::test
