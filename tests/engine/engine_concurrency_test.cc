// SPDX-License-Identifier: Apache-2.0
//
// Many threads on one engine while it freezes and flushes: what they see is strictly serializable, snapshots and
// iterators are points in time, and readers, writers, drops and close get along.

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "containers/jitter.h"
#include "engine/engine_store.h"
#include "snapshot/checkers.h"
#include "snapshot/verdict.h"
#include "support/start_line.h"

namespace scree::test {
namespace {

TEST(EngineConcurrency, gives_every_recorded_history_one_order_that_explains_it) {
  const Jitter jitter;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) ASSERT_TRUE(is_right(check_serializable<EngineStore>(seed, 200)));
}
TEST(EngineConcurrency, lost_atomicity_of_batches_is_caught) {
  const Jitter jitter;
  EXPECT_TRUE(is_caught([](auto seed) { return check_serializable<SplitsBatches>(seed, 200); }));
}
TEST(EngineConcurrency, stale_reads_are_caught) {
  const Jitter jitter;
  EXPECT_TRUE(is_caught([](auto seed) { return check_serializable<ReadsThePast>(seed, 200); }));
}

TEST(EngineConcurrency, keeps_the_balance_of_a_bank_in_every_snapshot) {
  const Jitter jitter;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) ASSERT_TRUE(is_right(check_bank<EngineStore>(seed, 200)));
}
TEST(EngineConcurrency, transfers_in_two_steps_are_caught) {
  const Jitter jitter;
  EXPECT_TRUE(is_caught([](auto seed) { return check_bank<SplitsBatches>(seed, 200); }));
}

TEST(EngineConcurrency, shows_in_a_snapshot_exactly_the_commits_up_to_its_number) {
  const Jitter jitter;
  ASSERT_TRUE(is_right(check_cuts<EngineStore>(1, 800)));
}
TEST(EngineConcurrency, reading_past_a_snapshot_is_caught) {
  const Jitter jitter;
  EXPECT_TRUE(is_caught([](auto seed) { return check_cuts<IgnoresSnapshots>(seed, 300); }));
}

TEST(EngineConcurrency, never_changes_what_a_held_snapshot_shows) {
  const Jitter jitter;
  ASSERT_TRUE(is_right(check_held_snapshots<EngineStore>(1, 800)));
}

TEST(EngineConcurrency, never_misses_a_key_that_is_always_there) {
  const Jitter jitter;
  ASSERT_TRUE(is_right(check_ever_present<EngineStore>(1500)));
}

// Two writers move money between accounts of one tree; whoever walks over it, in either direction and without a
// snapshot, finds all.
std::optional<std::string> check_walks(bool transfers_are_batches, std::uint64_t seed) {
  constexpr int kAccounts = 40;
  constexpr int kWriters = 2;
  constexpr int kTransfers = 250;
  TestEngine engine(small_options(), memory_directory());
  const Index index = engine.create("accounts");
  const auto name = [](int account) { return std::to_string(100 + account); };
  for (int account = 0; account < kAccounts; ++account) engine.put(index, name(account), "100");
  Verdict verdict;
  Atomic<int> writing{kWriters};
  StartLine start(kWriters + 1);
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      std::mt19937_64 random(seed * kWriters + static_cast<std::uint64_t>(w));
      std::vector<int> balance(kAccounts / kWriters, 100);
      start.wait();
      for (int n = 0; n < kTransfers && !verdict.reported(); ++n) {
        const std::size_t from = random() % balance.size();
        const std::size_t to = (from + 1 + random() % (balance.size() - 1)) % balance.size();
        const int amount = static_cast<int>(random() % 90) + 1;
        balance[from] -= amount;
        balance[to] += amount;
        WriteBatch batch;
        for (const std::size_t account : {from, to}) {
          batch.put(index, name(static_cast<int>(account) * kWriters + w), std::to_string(balance[account]));
          if (transfers_are_batches && account == from) continue;
          if (!engine->write({}, batch).is_ok()) verdict.report("a write failed");
          batch.clear();
        }
        if (n % 16 == 0 && !engine->flush().is_ok()) verdict.report("a flush failed");
      }
      --writing;
    });
  }
  start.wait();
  while (writing.load() != 0 && !verdict.reported()) {
    for (const Entries& entries : {scan(*engine, index), scan_backwards(*engine, index)}) {
      int sum = 0;
      for (const auto& [account, balance] : entries) sum += std::stoi(balance);
      if (entries.size() != kAccounts || sum != 100 * kAccounts) verdict.report("a walk found " + std::to_string(sum));
    }
  }
  for (std::thread& thread : threads) thread.join();
  return verdict.get();
}

TEST(EngineConcurrency, shows_an_iterator_the_moment_of_its_creation) {
  const Jitter jitter;
  ASSERT_TRUE(is_right(check_walks(true, 1)));
}
TEST(EngineConcurrency, a_walk_over_a_moving_store_is_caught) {
  const Jitter jitter;
  EXPECT_TRUE(is_caught([](auto seed) { return check_walks(false, seed); }));
}

TEST(EngineConcurrency, lets_indexes_come_and_go_beside_writers_and_readers) {
  const Jitter jitter;
  TestEngine engine(small_options(), memory_directory());
  const Index kept = engine.create("kept");
  Atomic<bool> done{false};
  const auto fails = [](const Status& status) { return !status.is_ok() && !status.is_not_found(); };
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; !done.load(memory_order_acquire); ++n) {
        Index passing;
        if (fails(engine->open_index("passing", IndexKind::kTree, &passing))) ADD_FAILURE();
        if (!passing.is_valid()) continue;
        WriteBatch batch;
        batch.put(kept, std::to_string(t), std::to_string(n));
        batch.put(passing, std::to_string(t), std::to_string(n));
        if (fails(engine->write({}, batch))) ADD_FAILURE();
        std::string value;
        if (fails(engine->get({}, passing, std::to_string(t), &value))) ADD_FAILURE();
        const auto it = engine->iterator({}, passing);
        for (it->seek_to_first(); it->valid(); it->next()) EXPECT_FALSE(it->value().empty());
        if (fails(it->status())) ADD_FAILURE();
      }
    });
  }
  for (int n = 0; n < 12; ++n) {
    engine.create("passing");
    if (n % 3 == 0) engine.flush();
    ASSERT_TRUE(is_ok(engine->drop_index("passing")));
    if (n % 4 == 0) engine.flush();
  }
  done.store(true, memory_order_release);
  for (std::thread& thread : threads) thread.join();
  engine.reopen();
  EXPECT_EQ(engine->list_indexes().size(), 1u);
}

TEST(EngineConcurrency, closes_beside_writers_and_readers) {
  const Jitter jitter;
  for (int round = 0; round < 4; ++round) {
    TestEngine engine(small_options(), memory_directory());
    const Index index = engine.create("index");
    StartLine start(4);
    std::vector<std::thread> threads;
    std::vector<int> acknowledged(3);
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        start.wait();
        for (int n = 1;; ++n) {
          const Status status = engine->put({}, index, std::to_string(t), std::to_string(n));
          if (!status.is_ok()) {
            EXPECT_EQ(status.code(), StatusCode::kShutdownInProgress) << status.to_string();
            return;
          }
          acknowledged[static_cast<std::size_t>(t)] = n;
          std::string value;
          const Status got = engine->get({}, index, std::to_string(t), &value);
          if (got.is_ok()) {
            EXPECT_EQ(value, std::to_string(n));
          } else {
            EXPECT_EQ(got.code(), StatusCode::kShutdownInProgress) << got.to_string();
          }
          if (n % 32 == 0) static_cast<void>(engine->flush().is_ok());
        }
      });
    }
    start.wait();
    for (int n = 0; n < 20 * round; ++n) value_of(*engine, index, "0");
    EXPECT_TRUE(is_ok(engine->close()));
    for (std::thread& thread : threads) thread.join();
    engine.reopen();
    for (int t = 0; t < 3; ++t) {
      const int n = acknowledged[static_cast<std::size_t>(t)];
      EXPECT_EQ(value_of(*engine, engine.find("index"), std::to_string(t)), n == 0 ? "(none)" : std::to_string(n));
    }
  }
}

}  // namespace
}  // namespace scree::test
