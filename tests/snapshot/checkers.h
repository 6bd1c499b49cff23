// SPDX-License-Identifier: Apache-2.0
//
// Workloads on a store (stores.h) that tell what was wrong, if anything. The right store and the broken ones run
// through the same. Stores lie on the heap: a thread sanitizer takes the mutexes of two stores at one place of the
// stack for the same.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "snapshot/stores.h"
#include "snapshot/verdict.h"
#include "support/commit_history.h"
#include "support/start_line.h"

namespace scree::test {

// Threads commit, read and take snapshots at random, all recorded. Some snapshots are held for long and read again at
// the end.
template <class Store>
std::optional<std::string> check_serializable(std::uint64_t seed, int operations = 250) {
  static constexpr std::uint64_t kThreads = 3, kKeys = 12;
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  HistoryClock clock;
  Verdict verdict;
  std::vector<CommitHistory> histories(kThreads);
  StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed * kThreads + t);
      CommitHistory& history = histories[t];
      std::vector<std::pair<typename Store::Snapshot, std::size_t>> held;
      const auto some_place = [&] { return Place{static_cast<int>(random() % 2), random() % kKeys}; };
      start.wait();
      for (int n = 0; n < operations; ++n) {
        const auto kind = random() % 8;
        if (kind < 4) {
          CommitRecord record;
          for (auto writes = kind < 2 ? 1 : 2 + random() % 4; writes != 0; --writes) {
            // Every write has its own value.
            const auto value =
                static_cast<std::int64_t>(history.commits.size() * 8 + writes) * 16 + static_cast<std::int64_t>(t);
            record.writes.push_back({some_place(), random() % 4 == 0 ? std::nullopt : std::optional(value)});
          }
          static_cast<Interval&>(record) = timed(clock, [&] { record.sequence = store.commit(record.writes); });
          history.commits.push_back(std::move(record));
        } else if (kind < 6) {
          GetRecord record;
          record.place = some_place();
          static_cast<Interval&>(record) = timed(clock, [&] { record.value = store.get(record.place); });
          history.gets.push_back(record);
        } else {
          SnapshotRecord record;
          std::optional<typename Store::Snapshot> snapshot;
          static_cast<Interval&>(record) = timed(clock, [&] { snapshot.emplace(store.snapshot()); });
          record.sequence = snapshot->sequence();
          record.seen = store.contents(*snapshot);
          if (random() % 4 == 0) held.emplace_back(std::move(*snapshot), history.snapshots.size());
          history.snapshots.push_back(std::move(record));
        }
      }
      for (const auto& [snapshot, index] : held) {
        const Contents& first = history.snapshots[index].seen;
        if (auto difference = find_difference(first, store.contents(snapshot))) {
          verdict.report("a held snapshot changed: " + *difference);
        }
        for (const auto& [place, value] : first) {
          if (store.get(place, snapshot) != value) verdict.report("a snapshot's get and its contents differ");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (verdict.reported()) return verdict.get();
  CommitHistory all;
  for (const CommitHistory& history : histories) all.append(history);
  return find_serializability_violation(std::move(all));
}

// Runs write(w) on a thread of its own for each of the `writers`, and beside() on this thread until they are done.
template <class Write, class Beside>
void run_beside_writers(std::uint64_t writers, const Write& write, const Beside& beside) {
  std::atomic<std::uint64_t> writing{writers};
  StartLine start(writers + 1);
  std::vector<std::thread> threads;
  for (std::uint64_t w = 0; w < writers; ++w) {
    threads.emplace_back([&, w] {
      start.wait();
      write(w);
      --writing;
    });
  }
  start.wait();
  while (writing != 0) beside();
  for (std::thread& thread : threads) thread.join();
}

// Writers transfer money between accounts of their own, in the tree and in the hash, while an auditor takes snapshots:
// each sums to the same, and one taken after a transfer returned shows it.
template <class Store>
std::optional<std::string> check_bank(std::uint64_t seed, int transfers = 400) {
  static constexpr std::uint64_t kWriters = 3, kAccounts = 15;
  static constexpr std::int64_t kInitial = 100, kTotal = kInitial * kAccounts;
  const auto account = [](std::uint64_t n) { return Place{static_cast<int>(n % 2), n}; };
  const auto sum = [](const Contents& contents) {
    std::int64_t total = 0;
    for (const auto& [place, value] : contents) total += value;
    return total;
  };
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  Verdict verdict;
  std::vector<PlaceWrite> opening;
  for (std::uint64_t n = 0; n < kAccounts; ++n) opening.push_back({account(n), kInitial});
  store.commit(opening);

  const auto write = [&](std::uint64_t w) {
    std::mt19937_64 random(seed * kWriters + w);
    std::vector<std::int64_t> balance(kAccounts / kWriters, kInitial);
    for (int n = 0; n < transfers && !verdict.reported(); ++n) {
      const std::size_t from = random() % balance.size();
      const std::size_t to = (from + 1 + random() % (balance.size() - 1)) % balance.size();
      const auto amount = static_cast<std::int64_t>(random() % 50);
      balance[from] -= amount;
      balance[to] += amount;
      const Place places[] = {account(from * kWriters + w), account(to * kWriters + w)};
      store.commit({{places[0], balance[from]}, {places[1], balance[to]}});
      if (n % 8 != 0) continue;
      const auto snapshot = store.snapshot();
      if (store.get(places[0], snapshot) != balance[from] || store.get(places[1], snapshot) != balance[to]) {
        verdict.report("a snapshot misses a transfer that had returned");
      }
    }
  };
  run_beside_writers(kWriters, write, [&] {
    if (verdict.reported()) return;
    const auto snapshot = store.snapshot();
    const std::int64_t total = sum(store.contents(snapshot));
    if (total != kTotal) verdict.report("an audit found " + std::to_string(total));
  });
  if (verdict.reported()) return verdict.get();
  const std::int64_t total = sum(store.contents(store.snapshot()));
  return total == kTotal ? std::nullopt : std::optional("the last audit found " + std::to_string(total));
}

// Each writer counts in a key of its own and notes the number of every commit: a snapshot must show of each
// counter exactly the commits that are not above its own number, whoever made them.
template <class Store>
std::optional<std::string> check_cuts(std::uint64_t seed, int commits = 1500) {
  static constexpr std::uint64_t kWriters = 3;
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  std::vector<std::vector<std::uint64_t>> numbers(kWriters);
  std::vector<std::pair<std::uint64_t, Contents>> snapshots;
  const auto write = [&](std::uint64_t w) {
    for (int n = 1; n <= commits; ++n) {
      // Twice the counter in one commit: in the tree and in the hash.
      numbers[w].push_back(store.commit({{{0, w}, n}, {{1, w + seed}, n}}));
    }
  };
  run_beside_writers(kWriters, write, [&] {
    const auto snapshot = store.snapshot();
    snapshots.emplace_back(snapshot.sequence(), store.contents(snapshot));
  });
  for (const auto& [sequence, seen] : snapshots) {
    Contents expected;
    for (std::uint64_t w = 0; w < kWriters; ++w) {
      const auto count = std::upper_bound(numbers[w].begin(), numbers[w].end(), sequence) - numbers[w].begin();
      if (count != 0) expected[{0, w}] = expected[{1, w + seed}] = count;
    }
    if (auto difference = find_difference(expected, seen))
      return "the snapshot at " + std::to_string(sequence) + ": " + *difference;
  }
  return std::nullopt;
}

// Two writers overwrite and erase a few hot keys again and again, each overwrite pruning, while snapshots are held,
// copied, moved and dropped: what one showed first it shows to the end.
template <class Store>
std::optional<std::string> check_held_snapshots(std::uint64_t seed, int overwrites = 1000) {
  static constexpr std::uint64_t kWriters = 2, kKeys = 3;
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  Verdict verdict;
  const auto write = [&](std::uint64_t w) {
    std::mt19937_64 random(seed * kWriters + w);
    for (int n = 0; n < overwrites && !verdict.reported(); ++n) {
      const Place place{static_cast<int>(random() % 2), random() % kKeys};
      store.commit({{place, random() % 8 == 0 ? std::nullopt : std::optional<std::int64_t>(n)}});
    }
  };
  std::mt19937_64 random(seed);
  std::vector<std::pair<typename Store::Snapshot, Contents>> held;
  const auto check = [&](const auto& snapshot, const Contents& first) {
    if (auto difference = find_difference(first, store.contents(snapshot))) {
      verdict.report("the snapshot at " + std::to_string(snapshot.sequence()) + " changed: " + *difference);
    }
  };
  run_beside_writers(kWriters, write, [&] {
    if (verdict.reported()) return;
    const std::size_t at = held.empty() ? 0 : random() % held.size();
    switch (held.empty() ? 0 : random() % 5) {
      case 0:
      case 1: {
        // At most as many as two blocks of slots hold.
        if (held.size() >= 60) break;
        auto snapshot = store.snapshot();
        Contents first = store.contents(snapshot);
        held.emplace_back(std::move(snapshot), std::move(first));
        break;
      }
      case 2: {
        auto copy = held[at];
        held[at] = std::move(held.back());
        held.back() = std::move(copy);
        break;
      }
      case 3:
        check(held[at].first, held[at].second);
        break;
      case 4:
        std::swap(held[at], held.back());
        check(held.back().first, held.back().second);
        held.pop_back();
        break;
    }
  });
  for (const auto& [snapshot, first] : held) check(snapshot, first);
  return verdict.get();
}

// Writers overwrite a key that is always there: a read without a snapshot finds it, and never an older value than
// before.
template <class Store>
std::optional<std::string> check_ever_present(int overwrites) {
  static constexpr std::uint64_t kWriters = 2;
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  Verdict verdict;
  for (std::uint64_t w = 0; w < kWriters; ++w) store.commit({{{0, w}, 0}, {{1, w}, 0}});
  const auto write = [&](std::uint64_t w) {
    for (int n = 1; n <= overwrites; ++n) {
      store.commit({{{0, w}, n}});
      store.commit({{{1, w}, n}});
    }
  };
  Contents last;
  run_beside_writers(kWriters, write, [&] {
    for (std::uint64_t w = 0; w < kWriters; ++w) {
      for (const Place place : {Place{0, w}, Place{1, w}}) {
        const std::optional<std::int64_t> value = store.get(place);
        if (!value) {
          verdict.report("an ever-present key is absent");
        } else if (*value < std::exchange(last[place], *value)) {
          verdict.report("a read went back in time");
        }
      }
    }
  });
  return verdict.get();
}

// The longest chain of two keys overwritten `overwrites` times, each with two writes per commit.
template <class Store>
std::optional<std::string> check_chains_stay_short(int overwrites, std::size_t longest) {
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  for (int n = 0; n < overwrites; ++n) {
    store.commit({{{0, 1}, n}});
    store.commit({{{1, 1}, n}});
    store.commit({{{0, 2}, n}, {{1, 2}, n}});
    for (const Place place : {Place{0, 1}, Place{1, 1}, Place{0, 2}, Place{1, 2}}) {
      if (store.versions(place) > longest) {
        return detail::describe(place) + " has " + std::to_string(store.versions(place)) + " versions";
      }
    }
  }
  return std::nullopt;
}

// Snapshots of which each outlives the next one's beginning: at any time one is held that is `each` to twice `each`
// overwrites old.
template <class Store>
std::optional<std::string> check_overlapping_snapshots(int overwrites, int each, std::size_t longest) {
  const auto owned = std::make_unique<Store>();
  Store& store = *owned;
  std::optional<typename Store::Snapshot> older, newer;
  for (int n = 0; n < overwrites; ++n) {
    if (n % each == 0) {
      older = std::move(newer);
      newer.emplace(store.snapshot());
    }
    store.commit({{{0, 1}, n}});
    if (store.versions({0, 1}) > longest) return "there are " + std::to_string(store.versions({0, 1})) + " versions";
  }
  return std::nullopt;
}

}  // namespace scree::test
