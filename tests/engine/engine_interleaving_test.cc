// SPDX-License-Identifier: Apache-2.0
//
// One chosen interleaving each: a writer, the flush or a reader stands still at a named step of its protocol while the
// others go on. At that moment a copy of the store is made, too, which is what a killed process would leave. Only where
// SCREE_SYNC_POINTS is 1.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "containers/stop_at.h"
#include "engine/engine_support.h"
#include "engine/pause_at.h"

namespace scree::test {
namespace {

namespace fs = std::filesystem;

constexpr int kKeys = 20;

std::string key(int n) { return "key" + std::to_string(100 + n); }

class World {
 public:
  TestEngine engine{small_options(), memory_directory()};
  Index tree = engine.create("tree");
  Index hash = engine.create("hash", IndexKind::kHash);

  // One value for all keys of both indexes.
  Status write(const std::string& value) {
    WriteBatch batch;
    for (int n = 0; n < kKeys; ++n) {
      batch.put(tree, key(n), value);
      batch.put(hash, key(n), value);
    }
    return engine->write({}, batch);
  }
  std::string seen(const Snapshot* snapshot = nullptr) { return seen_in(*engine, tree, hash, snapshot); }

  // What an engine finds that opens a copy of the store as it is now.
  std::string seen_after_a_crash() {
    const TemporaryDirectory copies(memory_directory());
    // Once more if the engine removed a file meanwhile that it needs no longer.
    std::error_code error;
    for (int attempts = 0; attempts == 0 || (error && attempts < 100); ++attempts) {
      fs::remove_all(copies / "copy");
      fs::copy(engine.path(), copies / "copy", fs::copy_options::recursive, error);
    }
    if (error) return error.message();
    std::unique_ptr<Engine> copy;
    if (Status status = Engine::open(small_options(), copies / "copy", &copy); !status.is_ok())
      return status.to_string();
    Index copied_tree;
    Index copied_hash;
    EXPECT_TRUE(is_ok(copy->open_index("tree", IndexKind::kTree, &copied_tree)));
    EXPECT_TRUE(is_ok(copy->open_index("hash", IndexKind::kHash, &copied_hash)));
    return seen_in(*copy, copied_tree, copied_hash, nullptr);
  }
  void reopen() {
    engine.reopen();
    tree = engine.find("tree");
    hash = engine.find("hash", IndexKind::kHash);
  }

 private:
  // The one value that all keys have by every way of reading; "(none)", or what is wrong.
  static std::string seen_in(const Engine& engine, const Index& tree, const Index& hash, const Snapshot* snapshot) {
    std::unique_ptr<const Snapshot> own;
    if (snapshot == nullptr) snapshot = (own = engine.snapshot()).get();
    const std::string first = value_of(engine, tree, key(0), snapshot);
    Entries expected;
    for (int n = 0; n < kKeys && first != "(none)"; ++n) expected[key(n)] = first;
    for (const Entries& entries :
         {scan(engine, tree, snapshot), scan_backwards(engine, tree, snapshot), scan(engine, hash, snapshot)}) {
      if (entries != expected) return "a scan differs from the first key, which is " + first;
    }
    for (int n = 0; n < kKeys; ++n) {
      for (const Index* index : {&tree, &hash}) {
        if (const auto value = value_of(engine, *index, key(n), snapshot); value != first)
          return key(n) + " is " + value;
        // Without a snapshot, too.
        if (own != nullptr && value_of(engine, *index, key(n)) != first) return key(n) + " read now is another";
      }
    }
    return first;
  }
};

class EngineWriterAt : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Steps, EngineWriterAt, testing::Values("commit:prepared", "commit:reserved", "commit:linked"),
                         [](const auto& step) { return std::string(step.param).substr(7); });

TEST_P(EngineWriterAt, a_freeze_meets_a_batch_that_is_seen_whole_or_not_at_all) {
  const bool reserved = std::string(GetParam()) != "commit:prepared";
  for (const bool overwrites : {false, true}) {
    World world;
    const std::string before = overwrites ? "old" : "(none)";
    if (overwrites) {
      ASSERT_TRUE(is_ok(world.write("old")));
    }
    world.engine.put(world.engine.create("other"), "key", "value");  // so that there is something to freeze
    PauseAt pause(GetParam(), "clock:parked");
    std::thread writer([&] { EXPECT_TRUE(is_ok(world.write("new"))); });
    ASSERT_TRUE(pause.await_paused());
    auto early = world.engine->snapshot();
    EXPECT_EQ(world.seen(), before);

    std::thread flusher([&] { EXPECT_TRUE(is_ok(world.engine->flush())); });
    if (reserved) {
      // The freeze is done but for the batch, which it waits for.
      ASSERT_TRUE(pause.await_watched());
    } else {
      flusher.join();
      EXPECT_EQ(world.engine->stats().generations, 1u);
      world.engine.put(world.engine.find("other"), "key", "value of the next generation");
    }
    auto late = world.engine->snapshot();
    EXPECT_EQ(world.seen(), before);
    EXPECT_EQ(world.seen(early.get()), before);
    EXPECT_EQ(world.seen(late.get()), before);
    EXPECT_EQ(world.seen_after_a_crash(), before);

    pause.release();
    writer.join();
    if (flusher.joinable()) flusher.join();
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(world.seen(), "new");
      EXPECT_EQ(world.seen(early.get()), before);
      EXPECT_EQ(world.seen(late.get()), before);
      EXPECT_EQ(world.seen_after_a_crash(), "new");
      world.engine.flush();
    }
    early.reset();
    late.reset();
    world.reopen();
    EXPECT_EQ(world.seen(), "new");
  }
}

class EngineFlushAt : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Steps, EngineFlushAt, testing::Values("flush:complete", "flush:written", "flush:committed"),
                         [](const auto& step) { return std::string(step.param).substr(6); });

TEST_P(EngineFlushAt, reads_writes_and_snapshots_go_on) {
  World world;
  ASSERT_TRUE(is_ok(world.write("in tables")));
  world.engine.flush();
  ASSERT_TRUE(is_ok(world.write("frozen")));
  auto before = world.engine->snapshot();
  world.engine.put(world.tree, "erased", "1");
  PauseAt pause(GetParam());
  std::thread flusher([&] { EXPECT_TRUE(is_ok(world.engine->flush())); });
  ASSERT_TRUE(pause.await_paused());
  EXPECT_EQ(world.engine->stats().generations, 2u);
  world.engine.erase(world.tree, "erased");
  EXPECT_EQ(world.seen(), "frozen");
  EXPECT_EQ(world.seen_after_a_crash(), "frozen");
  auto during = world.engine->snapshot();
  ASSERT_TRUE(is_ok(world.write("new")));
  const auto check = [&] {
    EXPECT_EQ(world.seen(), "new");
    EXPECT_EQ(world.seen(before.get()), "frozen");
    EXPECT_EQ(world.seen(during.get()), "frozen");
    EXPECT_EQ(world.seen_after_a_crash(), "new");
  };
  check();
  pause.release();
  flusher.join();
  check();
  world.engine.flush();
  check();
  before.reset();
  during.reset();
  world.reopen();
  EXPECT_EQ(world.seen(), "new");
}

TEST(EngineGet, looks_again_when_the_version_that_it_came_for_was_pruned) {
  World world;
  for (const Index& index : {world.tree, world.hash}) {
    world.engine.put(index, "key", "frozen");
    // The flush does not get further: the key has an older version in an older generation.
    PauseAt pause("flush:complete");
    std::thread flusher([&] { world.engine.flush(); });
    ASSERT_TRUE(pause.await_paused());
    world.engine.put(index, "key", "1");
    {
      const StopAt stop("get:visible", [&] {
        world.engine.put(index, "key", "2");
        world.engine.put(index, "key", "3");
      });
      EXPECT_EQ(value_of(*world.engine, index, "key"), "3");
    }
    pause.release();
    flusher.join();
  }
}

TEST(EngineSnapshot, that_meets_a_freeze_has_the_generation_of_all_that_it_sees) {
  World world;
  ASSERT_TRUE(is_ok(world.write("1")));
  const StopAt stop("snapshot:announced", [&] {
    world.engine.flush();
    EXPECT_TRUE(is_ok(world.write("2")));
  });
  const auto snapshot = world.engine->snapshot();
  EXPECT_EQ(world.seen(snapshot.get()), "2");
}

TEST(EngineMemory, stays_right_when_a_late_writer_prunes_in_a_flushed_generation) {
  World world;
  for (const Index& index : {world.tree, world.hash}) {
    world.engine.put(index, "key", "1");
    world.engine.put(index, "key", "2");
    const StopAt stop("clock:horizon:visible", [&] { world.engine.flush(); });
    world.engine.put(index, "key", "3");
    world.engine.put(index, "new key", "3");
    EXPECT_LT(world.engine->stats().memtable_bytes, 4096u);
    world.engine.flush();
    EXPECT_EQ(world.engine->stats().memtable_bytes, 0u);
  }
}

}  // namespace
}  // namespace scree::test
