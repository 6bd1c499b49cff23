// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that await the operations of HashIndex, HashMap and HashSet do what the operations of threads do; where a
// bucket is held, they wait for it without their thread. This program's operator new counts.

#include <gtest/gtest.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/resume_hook.h>

#include "awaiting.h"
#include "hash_async.h"
#include "hash_twins.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "support/failing_new.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

// Who is in the way, and who resumes the coroutine then.
enum class Way { kNobody, kThread, kThreadWithHook, kHandle };

// An index finds a key without its bucket, before it makes an entry.
template <class Face>
bool needs_no_lock(const Twins<Face>& twins, std::uint64_t n) {
  return Face::kKind == Kind::kIndex && Face::Config::kOutOfLine && std::string(twins.name).starts_with("insert") &&
         n == nth(0);
}

// The operation of a coroutine and its twin, with containers that hold the same.
template <class Face>
void check_that_it_does_as_its_twin(const Twins<Face>& twins, Way way, std::uint64_t n, bool throws) {
  SCOPED_TRACE(std::string(twins.name) + " of " + std::to_string(n) + (throws ? ", throwing" : ""));
  typename Face::Container of_thread, of_coroutine;
  fill<Face>(of_thread);
  fill<Face>(of_coroutine);
  Arguments<Face> by_thread(n), by_coroutine(n);
  by_thread.throws = by_coroutine.throws = throws;
  std::string expected = "thrown";
  try {
    expected = twins.now(of_thread, by_thread);
  } catch (const typename Arguments<Face>::Thrown&) {
  }
  Outcome outcome;
  Coroutine coroutine;
  Collects hook;
  const bool waits = !needs_no_lock<Face>(twins, n);
  if (way == Way::kNobody) {
    coroutine = twins.in_coroutine(of_coroutine, by_coroutine, outcome);
  } else if (way == Way::kHandle) {
    if constexpr (Face::kKind != Kind::kSet) {
      auto held = of_coroutine.entry(Face::Config::key(nth(0)));
      coroutine = twins.in_coroutine(of_coroutine, by_coroutine, outcome);
      EXPECT_EQ(coroutine.is_done(), !waits);
      held.release();
    }
  } else {
    WaitingThread holder(holding<Face>(of_coroutine, nth(0)));
    ASSERT_TRUE(holder.is_paused());
    std::optional<ResumeScope> scope;
    if (way == Way::kThreadWithHook) scope.emplace(hook);
    coroutine = twins.in_coroutine(of_coroutine, by_coroutine, outcome);
    EXPECT_EQ(coroutine.is_done(), !waits);
    holder.finish();
    if (way == Way::kThreadWithHook && waits) {
      EXPECT_FALSE(coroutine.is_done());
      EXPECT_EQ(hook.collected.size(), 1u);
      hook.resume_all();
    }
  }
  ASSERT_TRUE(coroutine.is_done());
  if (expected == "void") {
    EXPECT_EQ(outcome.error, nullptr);
  } else {
    EXPECT_EQ(outcome.described(), expected);
  }
  EXPECT_EQ(by_coroutine.described(), by_thread.described());
  EXPECT_EQ(Face::contents(of_coroutine), Face::contents(of_thread));
}

// Of the first bucket, with which walks begin.
template <class Face>
void check_that_all_do_as_their_twins(Way way) {
  for (const bool throws : {false, true}) {
    for (const Twins<Face>& twins : twins_of_one_key<Face>()) {
      check_that_it_does_as_its_twin<Face>(twins, way, nth(0), throws);
      check_that_it_does_as_its_twin<Face>(twins, way, absent_beside(0), throws);
    }
    for (const Twins<Face>& twins : twins_of_many_keys<Face>(false)) {
      check_that_it_does_as_its_twin<Face>(twins, way, nth(0), throws);
    }
  }
  EXPECT_TRUE(reclaim_all());
}

template <class Face>
class HashAsync : public testing::Test {};
using Faces = testing::Types<IndexOf<Numbers>, IndexOf<Texts>, IndexOf<Lists>, MapOf<Numbers>, MapOf<Texts>,
                             MapOf<Lists>, SetOf<Numbers>, SetOf<Lists>>;
TYPED_TEST_SUITE(HashAsync, Faces);

TYPED_TEST(HashAsync, does_as_its_twin_where_nothing_is_in_the_way) {
  check_that_all_do_as_their_twins<TypeParam>(Way::kNobody);
}

TYPED_TEST(HashAsync, waits_and_does_as_its_twin_by_the_thread_that_goes_on) {
  check_that_all_do_as_their_twins<TypeParam>(Way::kThread);
}

TYPED_TEST(HashAsync, waits_and_does_as_its_twin_by_its_hook) {
  check_that_all_do_as_their_twins<TypeParam>(Way::kThreadWithHook);
}

// Its thread may hold what it waits for.
TYPED_TEST(HashAsync, waits_for_a_handle_and_does_as_its_twin) {
  if constexpr (TypeParam::kKind == Kind::kSet) {
    GTEST_SKIP() << "a set has no handles";
  } else {
    check_that_all_do_as_their_twins<TypeParam>(Way::kHandle);
  }
}

// Beyond the frame of the coroutine: the same number as the operation of a thread.
TYPED_TEST(HashAsync, needs_no_memory_where_nothing_is_in_the_way) {
  auto all = twins_of_one_key<TypeParam>();
  for (const auto& twins : twins_of_many_keys<TypeParam>(false)) all.push_back(twins);
  for (const auto& twins : all) {
    SCOPED_TRACE(twins.name);
    const auto allocations = [](auto operation) {
      typename TypeParam::Container container;
      fill<TypeParam>(container);
      Arguments<TypeParam> arguments(nth(3));
      arguments.keys_met.reserve(kKeys);
      EXPECT_TRUE(reclaim_all());
      const std::size_t before = FailurePoint::allocations;
      operation(container, arguments);
      return FailurePoint::allocations - before;
    };
    const std::size_t by_thread =
        allocations([&](auto& container, auto& arguments) { twins.now(container, arguments); });
    Outcome outcome;
    Coroutine coroutine;
    const std::size_t by_coroutine = allocations(
        [&](auto& container, auto& arguments) { coroutine = twins.in_coroutine(container, arguments, outcome); });
    EXPECT_EQ(by_coroutine, by_thread + 1);
  }
}

template <class Container>
std::size_t frame_of_an_insert() {
  Container container;
  const auto insert = [](Container& into, std::uint64_t key, std::uint64_t value) -> Coroutine {
    co_await into.insert_async(key, value);
  };
  container.insert(2, 2);
  FailurePoint::last_size = 0;
  const Coroutine coroutine = insert(container, 1, 1);
  EXPECT_TRUE(coroutine.is_done());
  return FailurePoint::last_size;
}

TEST(HashAsyncFrame, is_small) {
  EXPECT_LE((frame_of_an_insert<HashIndex<std::uint64_t, std::uint64_t>>()), 256u);
  EXPECT_LE((frame_of_an_insert<HashMap<std::uint64_t, std::uint64_t>>()), 256u);
}

#if SCREE_CHECKED
template <class Face>
class HashAsyncDeathTest : public testing::Test {};
using OneOfEach = testing::Types<IndexOf<Numbers>, MapOf<Numbers>, SetOf<Numbers>>;
TYPED_TEST_SUITE(HashAsyncDeathTest, OneOfEach);

TYPED_TEST(HashAsyncDeathTest, is_not_awaited_within_a_barrier) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  typename TypeParam::Container container;
  const auto die = [&](auto begin) {
    EXPECT_DEATH(
        {
          const ebr::Barrier barrier;
          const Coroutine coroutine = begin();
        },
        "is suspended while its thread holds a Barrier");
  };
  int result = -1;
  die([&] { return insert_one<TypeParam>(container, 1, result); });
  Arguments<TypeParam> arguments(1);
  Outcome outcome;
  for (const auto& twins : twins_of_many_keys<TypeParam>(true)) {
    die([&] { return twins.in_coroutine(container, arguments, outcome); });
  }
}
#endif

// The key came in while it waited.
TYPED_TEST(HashAsync, gives_back_what_it_has_made_of_its_arguments) {
  using Config = typename TypeParam::Config;
  constexpr std::uint64_t kKey = absent_beside(3);
  typename TypeParam::Container container;
  fill<TypeParam>(container);
  auto key = Config::key(kKey);
  auto value = Config::value(-1);
  bool fresh = true, are_untouched = false;
  const auto insert = [&]() -> Coroutine {
    // In one expression: they are given back before the result is.
    are_untouched = (fresh = co_await TypeParam::insert_async(container, key, value),
                     key == Config::key(kKey) && value == Config::value(-1));
  };
  Collects hook;
  Coroutine coroutine;
  {
    const WaitingThread holder(holding<TypeParam>(container, nth(3)));
    const ResumeScope scope(hook);
    coroutine = insert();
    ASSERT_FALSE(coroutine.is_done());
  }
  EXPECT_TRUE(TypeParam::insert(container, kKey));
  hook.resume_all();
  ASSERT_TRUE(coroutine.is_done());
  EXPECT_FALSE(fresh);
  EXPECT_TRUE(are_untouched);
}

// The hook's executor has one thread, which meanwhile writes without awaiting.
TYPED_TEST(HashAsync, keeps_no_lock_until_its_hook_resumes_it) {
  typename TypeParam::Container container;
  fill<TypeParam>(container);
  Collects hook;
  std::vector<Coroutine> coroutines;
  std::vector<int> results(20, -1);
  {
    const WaitingThread holder(holding<TypeParam>(container, nth(3)));
    const ResumeScope scope(hook);
    for (std::uint64_t n = 0; n < results.size(); ++n) {
      coroutines.push_back(insert_one<TypeParam>(container, absent_beside(3) + n / 2, results[n]));
      EXPECT_FALSE(coroutines.back().is_done());
    }
  }
  EXPECT_EQ(hook.collected.size(), results.size());
  for (std::uint64_t n = 0; n < 10; ++n) EXPECT_TRUE(TypeParam::insert(container, absent_beside(3) + 20 + n));
  hook.resume_all();
  for (std::uint64_t n = 0; n < results.size(); n += 2) {
    EXPECT_EQ(results[n] + results[n + 1], 1) << "one of two comes first";
  }
  EXPECT_EQ(container.len(), kKeys + 20);
}

// Resumed by who has no scope, it waits again: for the hook with which it began.
TYPED_TEST(HashAsync, goes_to_the_hook_of_the_thread_on_which_it_began_to_wait) {
  typename TypeParam::Container container;
  fill<TypeParam>(container);
  Collects hook;
  int result = -1;
  Coroutine coroutine;
  std::optional<WaitingThread> holder(std::in_place, holding<TypeParam>(container, nth(3)));
  {
    const ResumeScope scope(hook);
    coroutine = insert_one<TypeParam>(container, absent_beside(3), result);
  }
  for (int n = 0; n < 3; ++n) {
    ASSERT_FALSE(coroutine.is_done());
    holder.reset();
    ASSERT_EQ(hook.collected.size(), 1u);
    holder.emplace(holding<TypeParam>(container, nth(3)));
    std::exchange(hook.collected, {})[0].resume();
  }
  holder.reset();
  hook.resume_all();
  EXPECT_TRUE(coroutine.is_done());
  EXPECT_EQ(result, 1);
}

// While a walk waits for the bucket of a key in the middle, the table grows or shrinks.
enum class Meanwhile { kGrows, kShrinks };

template <class Face>
void check_that_it_meets_each_entry_once(const Twins<Face>& twins, Meanwhile meanwhile) {
  SCOPED_TRACE(std::string(twins.name) + (meanwhile == Meanwhile::kGrows ? " as it grows" : " as it shrinks"));
  const std::uint64_t middle = meanwhile == Meanwhile::kGrows ? nth(kKeys / 2) : kBehindOthers;
  typename Face::Container container;
  fill<Face>(container);
  if (meanwhile == Meanwhile::kShrinks) {
    for (std::uint64_t n = 0; n < kMore; ++n) Face::insert(container, more(n));
  }
  const std::size_t capacity = container.capacity();
  Arguments<Face> arguments(nth(kKeys));
  Outcome outcome;
  Coroutine walk;
  std::vector<Coroutine> others;
  std::vector<int> results(kMore, 0);
  {
    WaitingThread holder(holding<Face>(container, middle));
    ASSERT_TRUE(holder.is_paused());
    walk = twins.in_coroutine(container, arguments, outcome);
    ASSERT_FALSE(walk.is_done());
    for (const std::uint64_t met : arguments.keys_met) EXPECT_LT(met, middle);
    for (std::uint64_t n = 0; n < kMore; ++n) {
      others.push_back(meanwhile == Meanwhile::kGrows ? insert_one<Face>(container, more(n), results[n])
                                                      : remove_one<Face>(container, more(n)));
    }
    EXPECT_NE(container.capacity(), capacity);
    EXPECT_FALSE(walk.is_done());
  }
  ASSERT_TRUE(walk.is_done());
  for (const Coroutine& other : others) EXPECT_TRUE(other.is_done());
  const std::string name = twins.name;
  const bool clears = name.starts_with("clear"), retains = name.starts_with("retain") || name.starts_with("prune");
  std::map<std::uint64_t, int> met;
  for (const std::uint64_t key : arguments.keys_met) EXPECT_EQ(++met[key], 1) << key;
  for (std::uint64_t n = 0; n < kKeys; ++n) {
    EXPECT_TRUE(clears || met.contains(nth(n))) << n;
    EXPECT_EQ(Face::contains(container, nth(n)), !clears && (!retains || n % 4 == 0)) << n;
  }
  if (retains) {
    EXPECT_EQ(outcome.result, std::to_string(kKeys / 4) + ", " + std::to_string(met.size() - kKeys / 4));
  }
  if (clears && meanwhile == Meanwhile::kGrows) {
    EXPECT_EQ(outcome.result, std::to_string(kKeys + kMore - container.len()));
  }
  Face::contents(container);
}

TYPED_TEST(HashAsync, walks_wait_in_the_middle_and_meet_each_entry_once_across_a_resize) {
  auto walks = twins_of_many_keys<TypeParam>(true);
  if constexpr (TypeParam::kKind == Kind::kMap) {
    walks.push_back({"next()", nullptr, [](auto& map, auto& arguments, Outcome& outcome) -> Coroutine {
                       auto at = co_await map.first_entry_async();
                       while (at) {
                         arguments.met(at.key());
                         const bool is_more = co_await at.next_async();
                         EXPECT_EQ(is_more, at.is_occupied());
                       }
                       outcome.result = "";
                     }});
  }
  for (const auto& walk : walks) {
    check_that_it_meets_each_entry_once<TypeParam>(walk, Meanwhile::kGrows);
    check_that_it_meets_each_entry_once<TypeParam>(walk, Meanwhile::kShrinks);
  }
  EXPECT_TRUE(reclaim_all());
}

template <class Face>
class HashAsyncShared : public testing::Test {};
using Shared = testing::Types<MapOf<Numbers>, MapOf<Lists>, SetOf<Numbers>>;
TYPED_TEST_SUITE(HashAsyncShared, Shared);

TYPED_TEST(HashAsyncShared, readers_do_not_wait_for_each_other) {
  typename TypeParam::Container container;
  fill<TypeParam>(container);
  const auto key = TypeParam::Config::key(nth(3));
  int result = -1, met = 0;
  Coroutine writer;
  {
    const WaitingThread reader([&](auto pause) { container.read(key, [&](const auto&...) { pause(); }); });
    const auto read = [&]() -> Coroutine {
      const bool found = co_await container.contains_async(key);
      EXPECT_TRUE(found);
      co_await container.scan_async([&](const auto&...) { ++met; });
    };
    EXPECT_TRUE(read().is_done());
    EXPECT_EQ(met, static_cast<int>(kKeys));
    writer = insert_one<TypeParam>(container, absent_beside(3), result);
    EXPECT_FALSE(writer.is_done());
  }
  EXPECT_TRUE(writer.is_done());
  EXPECT_EQ(result, 1);
}

// The same is true of an operation of threads.
TEST(HashAsyncMap, an_upsert_that_does_not_insert_leaves_its_key_as_it_was) {
  using Map = MapOf<Lists>;
  Map::Container map;
  fill<Map>(map);
  for (const bool waits : {false, true}) {
    auto key = Lists::key(nth(3));
    bool was_there = false;
    const auto make = [] { return Lists::value(0); };
    const auto upsert = [&]() -> Coroutine {
      was_there = co_await map.upsert_async(std::move(key), make, [](std::string&) {});
    };
    std::optional<WaitingThread> holder;
    if (waits) holder.emplace(holding<Map>(map, nth(3)));
    const Coroutine coroutine = upsert();
    holder.reset();
    EXPECT_TRUE(coroutine.is_done() && was_there);
    EXPECT_EQ(key, Lists::key(nth(3)));
    EXPECT_TRUE(map.upsert(std::move(key), make, [](std::string&) {}));
    EXPECT_EQ(key, Lists::key(nth(3)));
  }
}

template <class Face>
class HashAsyncEntry : public testing::Test {};
using WithHandles = testing::Types<IndexOf<Numbers>, IndexOf<Lists>, MapOf<Numbers>, MapOf<Texts>>;
TYPED_TEST_SUITE(HashAsyncEntry, WithHandles);

// The coroutine goes on on another thread than it obtained the handle on.
TYPED_TEST(HashAsyncEntry, is_held_across_suspensions_and_let_go_on_another_thread) {
  using Config = typename TypeParam::Config;
  for (const bool waits : {false, true}) {
    typename TypeParam::Container container;
    fill<TypeParam>(container);
    bool is_held = false;
    const auto hold = [&]() -> Coroutine {
      auto entry = co_await container.entry_async(Config::key(absent_beside(3)));
      EXPECT_FALSE(entry.is_occupied());
      is_held = true;
      co_await std::suspend_always();
      entry.or_insert(Config::value(5));
      co_await std::suspend_always();
      EXPECT_TRUE(entry.value() == Config::value(5));
      entry.release();
    };
    std::optional<WaitingThread> holder;
    if (waits) holder.emplace(holding<TypeParam>(container, nth(3)));
    const Coroutine coroutine = hold();
    EXPECT_EQ(is_held, !waits);
    holder.reset();
    EXPECT_TRUE(is_held);
    int result = -1;
    const Coroutine other = insert_one<TypeParam>(container, absent_beside(3), result);
    for (int n = 0; n < 2; ++n) {
      EXPECT_FALSE(container.try_entry(Config::key(nth(3))).has_value());
      EXPECT_FALSE(other.is_done());
      std::thread([&] { coroutine.resume(); }).join();
    }
    EXPECT_TRUE(coroutine.is_done() && other.is_done());
    EXPECT_EQ(result, 0);
    EXPECT_TRUE(container.try_entry(Config::key(nth(3))).has_value());
    EXPECT_EQ(container.len(), kKeys + 1);
  }
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
