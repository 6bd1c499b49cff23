// SPDX-License-Identifier: Apache-2.0
//
// Owned and AtomicOwned: one owner, no count, the same reclamation.

#include <gtest/gtest.h>

#include <utility>

#include <scree/ebr.h>

#include "reclaim.h"

namespace scree::test {
namespace {

using ebr::AtomicOwned;
using ebr::Barrier;
using ebr::Owned;
using ebr::OwnedPtr;
using ebr::Tag;

TEST(Owned, is_no_larger_than_what_it_owns) {
  static_assert(sizeof(ebr::detail::Single<std::uint64_t>) == sizeof(std::uint64_t));
  static_assert(sizeof(Owned<int>) == sizeof(void*) && sizeof(AtomicOwned<int>) == sizeof(void*));
}

TEST(Owned, is_borrowed_from_until_the_barrier_ends) {
  Atomic<int> alive{0};
  {
    const Barrier barrier;
    Owned<Counted> owned = Owned<Counted>::make(alive, 5);
    const OwnedPtr<Counted> ptr = owned.ptr(barrier);
    owned = {};
    reclaim_all(100);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(ptr->value(), 5);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Owned, can_be_changed_and_dropped_in_place) {
  Atomic<int> alive{0};
  Owned<std::pair<Counted, int>> owned = Owned<std::pair<Counted, int>>::make(Counted(alive), 1);
  owned.get_mut()->second = 2;
  EXPECT_EQ(owned->second, 2);
  owned.drop_in_place();
  EXPECT_TRUE(owned.is_null());
  EXPECT_EQ(alive, 0) << "without a grace period";
  owned.drop_in_place();
  EXPECT_EQ(owned.get_mut(), nullptr);
}

TEST(AtomicOwned, hands_its_instance_on) {
  Atomic<int> alive{0};
  {
    AtomicOwned<Counted> atomic = AtomicOwned<Counted>::make(alive, 1);
    const Barrier barrier;
    const OwnedPtr<Counted> one = atomic.load(memory_order_acquire, barrier);
    EXPECT_TRUE(atomic.update_tag_if(
        Tag::kBoth, [](OwnedPtr<Counted> p) { return p->value() == 1; }, memory_order_acq_rel, memory_order_acquire));
    auto failed = atomic.compare_exchange(one, Owned<Counted>::make(alive, 2), Tag::kNone, memory_order_acq_rel,
                                          memory_order_acquire, barrier);
    EXPECT_FALSE(failed.exchanged);
    EXPECT_EQ(failed.owner->value(), 2) << "the desired owner comes back";
    auto exchanged = atomic.compare_exchange(one.with_tag(Tag::kBoth), std::move(failed.owner), Tag::kFirst,
                                             memory_order_acq_rel, memory_order_acquire, barrier);
    EXPECT_TRUE(exchanged.exchanged);
    EXPECT_EQ(exchanged.owner->value(), 1);
    EXPECT_EQ(exchanged.current->value(), 2);
    EXPECT_EQ(atomic.tag(), Tag::kFirst);
    auto [two, tag] = atomic.swap(std::move(exchanged.owner), Tag::kSecond, memory_order_acq_rel);
    EXPECT_EQ(two->value(), 2);
    EXPECT_EQ(tag, Tag::kFirst);
    const Owned<Counted> back = atomic.try_into_owned(memory_order_acquire);
    EXPECT_EQ(back.get(), one.as_ref());
    EXPECT_TRUE(atomic.is_null());
    EXPECT_EQ(atomic.tag(), Tag::kNone);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace scree::test
