// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex's changes that depend on what is there, by many threads: updates, handles of entries, pops at both ends,
// and scans beside writers.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <scree/tree_index.h>

#include "index_concurrency.h"
#include "jitter.h"
#include "reclaim.h"
#include "run_threads.h"
#include "stop_at.h"
#include "support/linearization.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

constexpr std::size_t kThreads = 3;

// `change(index, number of the key)` adds 1, while others come, change and go in the same leaves.
template <class K, class V, class Change>
void check_that_increments_add_up(Change&& change) {
  const Jitter jitter;
  constexpr std::uint64_t kCounters = 4, kRounds = 3000;
  TreeIndex<K, V> index;
  for (std::uint64_t n = 0; n < kCounters; ++n) index.insert(numbered_key<K>(n * 10), V(0));
  run_threads(kThreads, [&](std::size_t t) {
    std::mt19937_64 random(t);
    for (std::uint64_t n = 0; n < kRounds; ++n) {
      change(index, random() % kCounters * 10);
      const std::uint64_t other = random() % (kCounters * 10);
      if (other % 10 == 0) continue;
      random() % 2 == 0 ? index.upsert(numbered_key<K>(other), V(0)) : index.remove(numbered_key<K>(other));
    }
  });
  std::int64_t sum = 0;
  for (std::uint64_t n = 0; n < kCounters; ++n) {
    sum += *index.read(numbered_key<K>(n * 10), [](const auto&, const V& value) { return std::int64_t{value}; });
  }
  EXPECT_EQ(sum, static_cast<std::int64_t>(kThreads * kRounds));
}

template <class K, class V>
void add_by_update(TreeIndex<K, V>& index, std::uint64_t n) {
  EXPECT_TRUE(index.update(numbered_key<K>(n), [](const V& value) { return V(value + 1); }));
}
template <class K, class V>
void add_by_entry(TreeIndex<K, V>& index, std::uint64_t n) {
  const ebr::Barrier barrier;
  auto entry = index.entry(numbered_key<K>(n), barrier);
  while (!entry.replace(V(entry.value() + 1))) {
  }
}

TEST(TreeIndexConcurrency, increments_by_update_add_up) {
  check_that_increments_add_up<std::uint64_t, std::int64_t>(add_by_update<std::uint64_t, std::int64_t>);
  check_that_increments_add_up<std::uint64_t, Cell>(add_by_update<std::uint64_t, Cell>);
  check_that_increments_add_up<std::string, Cell>(add_by_update<std::string, Cell>);
}
TEST(TreeIndexConcurrency, increments_by_handles_of_entries_add_up) {
  check_that_increments_add_up<std::uint64_t, std::int64_t>(add_by_entry<std::uint64_t, std::int64_t>);
  check_that_increments_add_up<std::uint64_t, Cell>(add_by_entry<std::uint64_t, Cell>);
  check_that_increments_add_up<std::string, Cell>(add_by_entry<std::string, Cell>);
}

// Each removal and each insertion of a key by a handle is one of an alternation: what came in has gone out, but for
// what is there in the end.
TEST(TreeIndexConcurrency, handles_insert_and_remove_a_key_in_turn) {
  const Jitter jitter;
  TreeIndex<std::uint64_t, std::int64_t> index;
  Atomic<int> balance{0};
  run_threads(kThreads, [&](std::size_t t) {
    const ebr::Barrier barrier;
    for (std::int64_t n = 0; n < 3000; ++n) {
      auto entry = index.entry(std::uint64_t{5}, barrier);
      if (entry.is_occupied()) {
        balance -= entry.remove() ? 1 : 0;
      } else {
        balance += entry.replace(n * static_cast<std::int64_t>(kThreads) + static_cast<std::int64_t>(t)) ? 1 : 0;
      }
      if (n % 4 == 0) index.upsert(std::uint64_t{6}, n);
    }
  });
  EXPECT_EQ(balance == 1, index.contains(std::uint64_t{5}));
  EXPECT_TRUE(balance == 0 || balance == 1) << balance.load();
}

// Everything is there before the threads begin, so that what one thread pops ascends, or descends.
template <class K, class V>
void check_that_pops_take_each_entry_once(std::uint64_t keys) {
  for (const int from : {0, 1, 2}) {
    TreeIndex<K, V> index;
    for (std::uint64_t n = 0; n < keys; ++n) index.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
    std::vector<std::vector<std::uint64_t>> popped(kThreads);
    run_threads(kThreads, [&](std::size_t t) {
      const bool first = from == 0 || (from == 2 && t != 0);
      for (;;) {
        const ebr::Barrier barrier;
        const auto entry = first ? index.pop_first(barrier) : index.pop_last(barrier);
        if (!entry) break;
        popped[t].push_back(number_of(entry->first));
        EXPECT_EQ(std::int64_t{entry->second}, static_cast<std::int64_t>(popped[t].back()));
      }
    });
    std::vector<std::uint64_t> all;
    for (std::size_t t = 0; t < kThreads; ++t) {
      if (from == 1 || (from == 2 && t == 0)) std::reverse(popped[t].begin(), popped[t].end());
      EXPECT_TRUE(std::is_sorted(popped[t].begin(), popped[t].end()));
      all.insert(all.end(), popped[t].begin(), popped[t].end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), keys);
    for (std::uint64_t n = 0; n < keys; ++n) ASSERT_EQ(all[n], n);
    EXPECT_TRUE(index.is_empty());
  }
}

TEST(TreeIndexConcurrency, pops_take_each_entry_once_and_in_order) {
  const Jitter jitter;
  check_that_pops_take_each_entry_once<std::uint64_t, std::int64_t>(5000);
  check_that_pops_take_each_entry_once<std::uint64_t, Cell>(2000);
  check_that_pops_take_each_entry_once<std::string, Cell>(2000);
}

// What was popped from one end or inserted, and found empty, in an order of real time.
struct QueueEvent {
  enum class Op { kInsert, kPopFirst, kPopLast } op = Op::kInsert;
  std::optional<std::uint64_t> key = {};
  bool ok = false;  // inserted
  std::uint64_t invoked = 0;
  std::uint64_t responded = 0;
};

std::string to_string(const QueueEvent& e) {
  static constexpr const char* kNames[] = {"insert", "pop_first", "pop_last"};
  return "[" + std::to_string(e.invoked) + ", " + std::to_string(e.responded) + "] " + kNames[static_cast<int>(e.op)] +
         (e.key ? " " + std::to_string(*e.key) : " of none") + (e.ok ? " anew" : "");
}

bool apply_to_keys(const QueueEvent& e, std::vector<std::uint64_t>& keys) {  // ascending
  if (e.op == QueueEvent::Op::kInsert) {
    const auto at = std::lower_bound(keys.begin(), keys.end(), *e.key);
    const bool fresh = at == keys.end() || *at != *e.key;
    if (fresh) keys.insert(at, *e.key);
    return e.ok == fresh;
  }
  if (keys.empty()) return !e.key;
  const auto at = e.op == QueueEvent::Op::kPopFirst ? keys.begin() : keys.end() - 1;
  if (e.key != *at) return false;
  keys.erase(at);
  return true;
}

std::optional<std::size_t> find_inexplicable(std::vector<QueueEvent>& events, std::vector<std::uint64_t> keys) {
  sort_by_invocation(events);
  return find_without_place(events, std::move(keys), apply_to_keys);
}

// Hand-written histories: what the checker below has to tell apart.
TEST(TreeIndexConcurrency, histories_of_pops_are_checked) {
  using Op = QueueEvent::Op;
  // A key that was there from the start is passed by, and popped later.
  std::vector<QueueEvent> passed = {{Op::kPopFirst, 2, false, 1, 2}, {Op::kPopFirst, 1, false, 3, 4}};
  EXPECT_NE(find_inexplicable(passed, {1, 2}), std::nullopt);
  // "Empty" beside an entry that was there throughout.
  std::vector<QueueEvent> empty = {{Op::kPopLast, std::nullopt, false, 1, 2}, {Op::kPopLast, 1, false, 3, 4}};
  EXPECT_NE(find_inexplicable(empty, {1}), std::nullopt);
  // The same while it was inserted.
  std::vector<QueueEvent> beside = {
      {Op::kPopLast, std::nullopt, false, 1, 4}, {Op::kInsert, 1, true, 2, 3}, {Op::kPopLast, 1, false, 5, 6}};
  EXPECT_EQ(find_inexplicable(beside, {}), std::nullopt);
  // Twice.
  std::vector<QueueEvent> twice = {{Op::kPopLast, 1, false, 1, 3}, {Op::kPopFirst, 1, false, 2, 4}};
  EXPECT_NE(find_inexplicable(twice, {1}), std::nullopt);
}

// Around the border of the first leaf and of the last one: inserts below all keys and above them, and pops that empty
// these leaves.
template <class K, class V>
void check_histories_of_pops(std::uint64_t keys, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    TreeIndex<K, V> index;
    std::vector<std::uint64_t> held;
    for (std::uint64_t n = 1; n < keys; n += 2) {
      index.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
      held.push_back(n);
    }
    HistoryClock clock;
    std::vector<std::vector<QueueEvent>> events(kThreads);
    run_threads(kThreads, [&](std::size_t t) {
      std::mt19937_64 random(static_cast<std::uint64_t>(round) * 100 + t);
      for (int n = 0; n < 2000; ++n) {
        QueueEvent e;
        e.op = random() % 5 < 2    ? QueueEvent::Op::kInsert
               : random() % 2 == 0 ? QueueEvent::Op::kPopFirst
                                   : QueueEvent::Op::kPopLast;
        if (e.op == QueueEvent::Op::kInsert) e.key = random() % (keys + 2);
        e.invoked = clock.tick();
        if (e.op == QueueEvent::Op::kInsert) {
          e.ok = index.insert(numbered_key<K>(*e.key), V(static_cast<std::int64_t>(*e.key)));
        } else {
          const ebr::Barrier barrier;
          const auto popped = e.op == QueueEvent::Op::kPopFirst ? index.pop_first(barrier) : index.pop_last(barrier);
          if (popped) e.key = number_of(popped->first);
        }
        e.responded = clock.tick();
        events[t].push_back(e);
      }
    });
    std::vector<QueueEvent> all;
    for (const auto& of_one : events) all.insert(all.end(), of_one.begin(), of_one.end());
    const std::optional<std::size_t> at = find_inexplicable(all, held);
    ASSERT_EQ(at, std::nullopt) << lines_around(all, *at, to_string);
  }
}

TEST(TreeIndexConcurrency, histories_of_pops_beside_inserts_are_linearizable) {
  const Jitter jitter;
  check_histories_of_pops<std::uint64_t, std::int64_t>(6, 4);
  check_histories_of_pops<std::uint64_t, std::int64_t>(80, 4);
  check_histories_of_pops<std::string, Cell>(30, 4);
}

// Under no barrier but its own: what it has passed is freed meanwhile.
template <class K, class V>
void check_scan_beside_writers() {
  for (const std::size_t per_barrier : {1, 7, 64}) {
    TreeIndex<K, V> index;
    EXPECT_EQ((iterate_beside_writers<K, V>(index, 600, 4, Order::kAscending, false,
                                            [&] {
                                              std::vector<std::uint64_t> numbers;
                                              const auto visit = [&](const auto& key, const V& value) {
                                                numbers.push_back(number_of(key));
                                                EXPECT_EQ(std::int64_t{value},
                                                          static_cast<std::int64_t>(numbers.back()));
                                              };
                                              index.scan(unbounded, unbounded, visit, per_barrier);
                                              return numbers;
                                            })),
              std::nullopt);
  }
}

TEST(TreeIndexConcurrency, scans_visit_what_is_present_throughout_exactly_once_however_often_they_renew_their_barrier) {
  const Jitter jitter;
  check_scan_beside_writers<std::uint64_t, std::int64_t>();
  check_scan_beside_writers<std::string, Cell>();
}

TEST(TreeIndexConcurrency, everything_is_freed_after_concurrent_changes) {
  Atomic<int> alive{0};
  {
    TreeIndex<std::string, Counted> index;
    run_threads(kThreads, [&](std::size_t t) {
      for (std::uint64_t n = 0; n < 3000; ++n) {
        const std::string key = numbered_key<std::string>(n * 31 % 97);
        const ebr::Barrier barrier;
        switch ((n + t) % 5) {
          case 0:
            index.pop_first(barrier);
            break;
          case 1:
            index.update(key, [&](const Counted& value) { return Counted(alive, value.value() + 1); });
            break;
          case 2:
            index.entry(key, barrier).replace(Counted(alive, 0));
            break;
          case 3:
            index.entry(key, barrier).and_modify([](const Counted& value) { return value; }).or_insert(alive, 7);
            break;
          default:
            n % 2 == 0 ? index.entry(key, barrier).remove() : index.pop_last(barrier).has_value();
        }
      }
    });
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(static_cast<std::size_t>(alive.load()), index.len());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#if SCREE_SYNC_POINTS

// Stopped where it has written its slot and not yet published it.
TEST(TreeIndexConcurrency, an_update_that_is_overtaken_asks_again) {
  TreeIndex<std::uint64_t, std::int64_t> index;
  index.insert(std::uint64_t{1}, std::int64_t{10});
  bool updated = false;
  WaitingThread late([&](auto pause) {
    const StopAt stop("tree:insert:written", pause);
    updated = index.update(std::uint64_t{1}, [](std::int64_t value) { return value + 1; });
  });
  ASSERT_TRUE(late.is_paused());
  EXPECT_TRUE(index.upsert(std::uint64_t{1}, std::int64_t{20}));
  late.finish();
  EXPECT_TRUE(updated);
  EXPECT_EQ(index.read(std::uint64_t{1}, [](std::uint64_t, std::int64_t value) { return value; }), 21);
}

TEST(TreeIndexConcurrency, an_update_whose_entry_is_removed_changes_nothing) {
  TreeIndex<std::uint64_t, std::int64_t> index;
  index.insert(std::uint64_t{1}, std::int64_t{10});
  bool updated = true;
  WaitingThread late([&](auto pause) {
    const StopAt stop("tree:insert:written", pause);
    updated = index.update(std::uint64_t{1}, [](std::int64_t value) { return value + 1; });
  });
  ASSERT_TRUE(late.is_paused());
  EXPECT_TRUE(index.remove(std::uint64_t{1}));
  late.finish();
  EXPECT_FALSE(updated);
  EXPECT_TRUE(index.is_empty());
}

// Stopped where it has chosen its entry and not yet taken it out: of a slot, and (after a copy) of a base.
TEST(TreeIndexConcurrency, a_pop_that_is_overtaken_takes_what_is_the_end_by_then) {
  for (const std::uint64_t keys : {std::uint64_t{2}, std::uint64_t{detail::kLeafSlots} + 1}) {
    for (const bool first : {true, false}) {
      TreeIndex<std::uint64_t, std::int64_t> index;
      for (std::uint64_t n = 1; n <= keys; ++n) index.insert(n * 10, 0);
      const auto pop = [&] {
        const ebr::Barrier barrier;
        const auto popped = first ? index.pop_first(barrier) : index.pop_last(barrier);
        return popped ? popped->first : 0;
      };
      std::uint64_t popped = 0;
      const auto stopped_pop = [&](auto pause) {
        const StopAt stop("tree:remove:written", pause);
        popped = pop();
      };
      const std::uint64_t end = first ? 10 : keys * 10, beyond = first ? 5 : keys * 10 + 5;
      WaitingThread beside_insert(stopped_pop);
      ASSERT_TRUE(beside_insert.is_paused());
      EXPECT_TRUE(index.insert(beyond, 0));
      beside_insert.finish();
      EXPECT_EQ(popped, beyond);
      WaitingThread beside_pop(stopped_pop);
      ASSERT_TRUE(beside_pop.is_paused());
      EXPECT_EQ(pop(), end);
      beside_pop.finish();
      EXPECT_EQ(popped, first ? 20 : keys * 10 - 10);
    }
  }
}

TEST(TreeIndexConcurrency, a_removal_by_a_handle_that_is_overtaken_removes_nothing) {
  TreeIndex<std::uint64_t, std::int64_t> index;
  index.insert(std::uint64_t{1}, std::int64_t{10});
  bool removed = true;
  std::int64_t shown = 0;
  WaitingThread late([&](auto pause) {
    const ebr::Barrier barrier;
    auto entry = index.entry(std::uint64_t{1}, barrier);
    const StopAt stop("tree:remove:written", pause);
    removed = entry.remove();
    shown = entry.value();
  });
  ASSERT_TRUE(late.is_paused());
  EXPECT_TRUE(index.upsert(std::uint64_t{1}, std::int64_t{20}));
  late.finish();
  EXPECT_FALSE(removed);
  EXPECT_EQ(shown, 20);
  EXPECT_TRUE(index.contains(std::uint64_t{1}));
}

// One that is stopped where it has frozen the leaf at the end holds up no other.
TEST(TreeIndexConcurrency, pops_go_on_beside_one_that_has_frozen_the_leaf) {
  for (const bool first : {true, false}) {
    TreeIndex<std::uint64_t, std::int64_t> index;
    constexpr std::uint64_t kKeys = 200;
    for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(n, static_cast<std::int64_t>(n));
    const auto pop = [&](const ebr::Barrier& barrier) {
      return first ? index.pop_first(barrier) : index.pop_last(barrier);
    };
    WaitingThread stopped([&](auto pause) {
      const ebr::Barrier barrier;
      const StopAt stop("tree:leaf:frozen", pause);
      while (pop(barrier)) {
      }
    });
    ASSERT_TRUE(stopped.is_paused());
    const ebr::Barrier barrier;
    for (int n = 0; n < 20; ++n) {
      const auto next = first ? index.first(barrier) : index.last(barrier);
      const auto popped = pop(barrier);
      ASSERT_TRUE(next.has_value());
      ASSERT_TRUE(popped.has_value());
      EXPECT_EQ(popped->first, next->first);
    }
    stopped.finish();
    EXPECT_TRUE(index.is_empty());
  }
}

// A root gives way to a single node below it only if nobody holds that one's lock. So the only leaf need not be right
// below the root.
TEST(TreeIndexConcurrency, pops_find_nothing_in_a_tree_that_stayed_taller_than_it_needs_to_be) {
  TreeIndex<std::uint64_t, std::int64_t> index;
  // What is left in full nodes by ascending inserts.
  constexpr std::uint64_t kInLeaf = detail::kLeafBase, kBelow = (detail::kInnerChildren - 1) * kInLeaf,
                          kBelowThat = (detail::kInnerChildren - 1) * kBelow;
  for (std::uint64_t n = 0; n < 2 * kBelowThat; ++n) index.insert(n * 32, 0);
  ASSERT_EQ(index.depth(), 4u);
  // Of the root's first child, this leaves the first child.
  for (std::uint64_t n = kBelow; n < kBelowThat; ++n) ASSERT_TRUE(index.remove(n * 32));
  std::uint64_t inserted = 0;
  WaitingThread splitting([&](auto pause) {
    bool split = false;
    const StopAt stop("tree:split:published", [&] {  // with the lock of the root's first child
      split = true;
      pause();
    });
    while (!split) index.insert(++inserted, 0);
  });
  ASSERT_TRUE(splitting.is_paused());
  for (std::uint64_t n = kBelowThat; n < 2 * kBelowThat; ++n) ASSERT_TRUE(index.remove(n * 32));
  splitting.finish();
  const ebr::Barrier barrier;
  for (std::uint64_t n = 0; n < kBelow + inserted; ++n) {
    ASSERT_TRUE((n % 2 == 0 ? index.pop_first(barrier) : index.pop_last(barrier)).has_value());
  }
  EXPECT_EQ(index.depth(), 3u) << "or it shows nothing";
  EXPECT_EQ(index.pop_first(barrier), std::nullopt);
  EXPECT_EQ(index.pop_last(barrier), std::nullopt);
}

#endif

}  // namespace
}  // namespace scree::test
