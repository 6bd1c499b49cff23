// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that are destroyed while they await an operation of a hash container: while the bucket is held, when it
// has been let go, when the table has been replaced, after the container. All memory is given back in the end.

#include <gtest/gtest.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/resume_hook.h>

#include "awaiting.h"
#include "hash_async.h"
#include "hash_twins.h"
#include "reclaim.h"
#include "stop_at.h"
#include "support/coroutine.h"
#include "tracked_memory.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

template <Kind kOf, class Config>
using Tracked = Face<kOf, Config, HashInOrder, TrackingAllocator>;

// One coroutine for each operation, of a key that is present and of one that is not. All wait for the first bucket.
template <class Face>
class HashAsyncLeaving : public testing::Test {
 protected:
  using Container = typename Face::Container;
  using Contents = std::map<std::uint64_t, typename Face::Value>;
  struct Waiting {
    explicit Waiting(std::uint64_t n) : arguments(n), before(arguments.described()) {}

    Arguments<Face> arguments;
    const std::string before;
    Outcome outcome;
    Coroutine coroutine;
  };

  HashAsyncLeaving() : container_(std::in_place, typename Face::Allocator(memory_)) {
    fill<Face>(*container_);
    contents_ = Face::contents(*container_);
    holder_.emplace(holding<Face>(*container_, nth(0)));
    EXPECT_TRUE(holder_->is_paused());
  }
  ~HashAsyncLeaving() override {
    holder_.reset();
    waiting_.clear();
    others_.clear();
    container_.reset();
    EXPECT_TRUE(reclaim_all());
  }

  void begin(const Twins<Face>& twins, std::uint64_t n) {
    Waiting& fresh = waiting_.emplace_back(n);
    fresh.coroutine = twins.in_coroutine(*container_, fresh.arguments, fresh.outcome);
    if (fresh.coroutine.is_done()) waiting_.pop_back();  // it needs no lock
  }
  void begin() {
    for (const auto& twins : twins_of_one_key<Face>()) {
      begin(twins, nth(0));
      begin(twins, absent_beside(0));
    }
    for (const auto& twins : twins_of_many_keys<Face>(false)) begin(twins, nth(0));
    EXPECT_GT(waiting_.size(), 10u);
  }
  void begin(ResumeHook& hook) {
    const ResumeScope scope(hook);
    begin();
  }
  // They have begun to make an entry, perhaps; what they were given for that is there again.
  void expect_that_nothing_was_done(const Contents& contents) {
    for (const Waiting& each : waiting_) {
      EXPECT_FALSE(each.outcome.is_over());
      EXPECT_EQ(each.arguments.described(), each.before);
    }
    EXPECT_EQ(Face::contents(*container_), contents);
  }
  void destroy_all() {
    for (Waiting& each : waiting_) each.coroutine.destroy();
  }
  // By coroutines, of which some wait for the first bucket, too.
  void grow() {
    const std::size_t capacity = container_->capacity();
    results_.resize(kMore, -1);
    for (std::uint64_t n = 0; n < kMore; ++n) others_.push_back(insert_one<Face>(*container_, more(n), results_[n]));
    EXPECT_GT(container_->capacity(), capacity);
  }
  void expect_that_it_has_grown() {
    for (const Coroutine& other : others_) EXPECT_TRUE(other.is_done());
    EXPECT_EQ(container_->len(), kKeys + kMore);
    // What is left of moving is done by the next changes.
    for (std::uint64_t n = 0; n < kMore; ++n) container_->remove(Face::Config::key(more(n)));
    for (std::uint64_t n = 0; n < kMore; ++n) Face::insert(*container_, more(n));
  }

  TrackedMemory memory_;
  std::optional<Container> container_;
  Contents contents_;
  std::list<Waiting> waiting_;
  std::vector<int> results_;
  std::vector<Coroutine> others_;
  std::optional<WaitingThread> holder_;
};

using Faces = testing::Types<Tracked<Kind::kIndex, Numbers>, Tracked<Kind::kIndex, Lists>, Tracked<Kind::kMap, Numbers>,
                             Tracked<Kind::kMap, Lists>, Tracked<Kind::kSet, Lists>>;
TYPED_TEST_SUITE(HashAsyncLeaving, Faces);

TYPED_TEST(HashAsyncLeaving, while_the_bucket_is_held_does_nothing) {
  this->begin();
  this->destroy_all();
  this->holder_.reset();
  this->expect_that_nothing_was_done(this->contents_);
}

TYPED_TEST(HashAsyncLeaving, lets_the_others_go_on) {
  this->begin();
  std::size_t n = 0;
  for (auto& each : this->waiting_) {
    if (n++ % 2 == 0) each.coroutine.destroy();
  }
  this->holder_.reset();
  n = 0;
  for (const auto& each : this->waiting_) EXPECT_EQ(each.outcome.is_over(), n++ % 2 == 1);
}

// By a thread that has used no container before.
TYPED_TEST(HashAsyncLeaving, is_destroyed_by_another_thread) {
  this->begin();
  std::thread([this] { this->destroy_all(); }).join();
  this->holder_.reset();
  this->expect_that_nothing_was_done(this->contents_);
}

TYPED_TEST(HashAsyncLeaving, when_the_bucket_has_been_let_go_does_nothing) {
  Collects hook;
  this->begin(hook);
  this->holder_.reset();
  EXPECT_EQ(hook.collected.size(), this->waiting_.size());
  this->destroy_all();
  this->expect_that_nothing_was_done(this->contents_);
}

TYPED_TEST(HashAsyncLeaving, when_its_hook_destroys_what_it_is_given) {
  Collects hook;
  this->begin(hook);
  this->holder_.reset();
  EXPECT_EQ(hook.collected.size(), this->waiting_.size());
  // What the hook has stands for the coroutine: its frame goes with it.
  for (auto& each : this->waiting_) each.coroutine.release();
  for (const auto handle : hook.collected) handle.destroy();
  this->expect_that_nothing_was_done(this->contents_);
}

// The table where they wait stays until the last of them is destroyed.
TYPED_TEST(HashAsyncLeaving, when_the_table_has_been_replaced) {
  Collects hook;
  this->begin(hook);
  this->grow();
  this->holder_.reset();
  this->expect_that_it_has_grown();
  EXPECT_TRUE(reclaim_all());
  auto contents = TypeParam::contents(*this->container_);
  while (this->waiting_.size() > 1) this->waiting_.pop_back();
  const std::size_t with_it = this->memory_.outstanding();
  this->destroy_all();
  EXPECT_LT(this->memory_.outstanding(), with_it);
  this->expect_that_nothing_was_done(contents);
}

TYPED_TEST(HashAsyncLeaving, goes_on_where_the_table_has_been_replaced) {
  Collects hook;
  this->begin(hook);
  this->grow();
  this->holder_.reset();
  this->expect_that_it_has_grown();
  EXPECT_TRUE(reclaim_all());
  hook.resume_all();
  for (const auto& each : this->waiting_) {
    EXPECT_TRUE(each.coroutine.is_done());
    EXPECT_EQ(each.outcome.error, nullptr);
  }
  // One of them has cleared it; those after that were of two keys.
  EXPECT_LE(this->container_->len(), 2u);
}

#if SCREE_SYNC_POINTS
// The thread that is before them in the queue moves the bucket: they find that its lock is dead.
TYPED_TEST(HashAsyncLeaving, when_the_lock_that_it_waits_for_has_been_killed) {
  for (const bool is_destroyed : {true, false}) {
    typename TypeParam::Container container{typename TypeParam::Allocator(this->memory_)};
    fill<TypeParam>(container);
    std::optional<WaitingThread> holder(std::in_place, holding<TypeParam>(container, nth(0)));
    std::vector<Coroutine> growing;
    std::vector<int> results(kMore, -1);
    int result = -1;
    // From the end, as long as none of them waits.
    for (std::uint64_t n = 1; n < kMore; ++n) {
      if (n % kKeys >= 32) growing.push_back(insert_one<TypeParam>(container, more(n), results[n]));
    }
    for (const Coroutine& coroutine : growing) EXPECT_TRUE(coroutine.is_done());
    WaitingThread mover([&](auto pause) {
      const StopAt at("lock.parks", pause);
      TypeParam::insert(container, absent_beside(0));
    });
    ASSERT_TRUE(mover.is_paused());
    Coroutine coroutine = insert_one<TypeParam>(container, absent_beside(0) + 1, result);
    holder.reset();
    ASSERT_FALSE(coroutine.is_done());
    if (is_destroyed) coroutine.destroy();
    mover.finish();
    EXPECT_EQ(result, is_destroyed ? -1 : 1);
    EXPECT_TRUE(TypeParam::contains(container, absent_beside(0)));
    EXPECT_EQ(TypeParam::contains(container, absent_beside(0) + 1), !is_destroyed);
  }
}
#endif

TYPED_TEST(HashAsyncLeaving, outlives_the_container) {
  Collects hook;
  this->begin(hook);
  this->grow();
  this->holder_.reset();
  this->container_.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_GT(this->memory_.outstanding(), 0u);
  this->destroy_all();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(this->memory_.outstanding(), 0u);
  for (const auto& each : this->waiting_) EXPECT_EQ(each.arguments.described(), each.before);
}

// What it has done before stays.
TYPED_TEST(HashAsyncLeaving, in_the_middle_of_a_walk) {
  this->holder_.emplace(holding<TypeParam>(*this->container_, nth(kKeys / 2)));
  for (const auto& twins : twins_of_many_keys<TypeParam>(true)) {
    SCOPED_TRACE(twins.name);
    Arguments<TypeParam> arguments(nth(0));
    Outcome outcome;
    Coroutine coroutine = twins.in_coroutine(*this->container_, arguments, outcome);
    EXPECT_FALSE(coroutine.is_done());
    coroutine.destroy();
    EXPECT_FALSE(outcome.is_over());
  }
  this->holder_.reset();
  const auto left = TypeParam::contents(*this->container_);
  EXPECT_TRUE(left.contains(nth(kKeys / 2)));
  EXPECT_FALSE(left.contains(nth(1)));
  for (std::uint64_t n = kKeys / 2; n < kKeys; ++n) EXPECT_TRUE(left.contains(nth(n)));
}

// Coroutines that have come to hold an entry, and wait for something else, or for the next one.
TYPED_TEST(HashAsyncLeaving, with_a_handle_lets_go_of_the_bucket) {
  if constexpr (TypeParam::kKind == Kind::kSet) {
    GTEST_SKIP() << "a set has no handles";
  } else {
    auto& container = *this->container_;
    const auto hold = [](auto& of, std::uint64_t n) -> Coroutine {
      auto entry = co_await of.entry_async(TypeParam::Config::key(n));
      co_await std::suspend_always();
    };
    this->holder_.reset();
    int result = -1;
    Coroutine coroutine = hold(container, nth(3));
    const Coroutine other = insert_one<TypeParam>(container, absent_beside(3), result);
    EXPECT_FALSE(other.is_done());
    std::thread([&] { coroutine.destroy(); }).join();
    EXPECT_TRUE(other.is_done());
    EXPECT_EQ(result, 1);
    if constexpr (TypeParam::kKind == Kind::kMap) {
      this->holder_.emplace(holding<TypeParam>(container, nth(kKeys / 2)));
      std::size_t met = 0;
      Coroutine walk = [](auto& of, std::size_t& count) -> Coroutine {
        auto at = co_await of.first_entry_async();
        while (at) {
          ++count;
          co_await at.next_async();
        }
      }(container, met);
      EXPECT_FALSE(walk.is_done());
      walk.destroy();
      this->holder_.reset();
      EXPECT_LT(met, kKeys);
      EXPECT_FALSE(container.any([](const auto&, const auto&) { return false; }));
    }
  }
}

}  // namespace
}  // namespace scree::test
