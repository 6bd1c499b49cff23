// SPDX-License-Identifier: Apache-2.0
//
// The engine by example: every operation of its public face, before and after flushes and reopening.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "engine/engine_support.h"

namespace scree::test {
namespace {

std::vector<std::string> names(const Engine& engine) {
  std::vector<std::string> names;
  for (const Index& index : engine.list_indexes()) names.emplace_back(index.name());
  return names;
}

TEST(EngineIndexes, are_created_listed_by_name_opened_and_dropped) {
  TestEngine engine;
  const Index zebra = engine.create("zebra");
  const Index ant = engine.create("ant", IndexKind::kHash);
  EXPECT_NE(zebra.id(), ant.id());
  EXPECT_EQ(ant.kind(), IndexKind::kHash);
  EXPECT_EQ(names(*engine), (std::vector<std::string>{"ant", "zebra"}));
  EXPECT_EQ(engine.find("zebra").id(), zebra.id());
  ASSERT_TRUE(is_ok(engine->drop_index("zebra")));
  EXPECT_EQ(names(*engine), std::vector<std::string>{"ant"});
  std::string value;
  EXPECT_TRUE(is_refused(engine->get({}, zebra, "key", &value), StatusCode::kNotFound, "zebra"));
  EXPECT_TRUE(is_refused(engine->put({}, zebra, "key", "value"), StatusCode::kNotFound, "zebra"));
  EXPECT_TRUE(is_refused(engine->iterator({}, zebra)->status(), StatusCode::kNotFound, "zebra"));
}

TEST(EngineIndexes, survive_reopening_with_and_without_a_flush) {
  for (const bool flush : {false, true}) {
    TestEngine engine;
    engine.create("kept");
    engine.create("dropped");
    if (flush) engine.flush();
    engine.create("late", IndexKind::kHash);
    ASSERT_TRUE(is_ok(engine->drop_index("dropped")));
    for (int i = 0; i < 2; ++i) {
      engine.reopen();
      EXPECT_EQ(names(*engine), (std::vector<std::string>{"kept", "late"}));
      engine.find("late", IndexKind::kHash);
    }
  }
}

TEST(EngineIndexes, of_a_dropped_name_start_empty_and_with_a_new_id) {
  TestEngine engine;
  const Index first = engine.create("name");
  engine.put(first, "flushed", "1");
  engine.flush();
  engine.put(first, "in memory", "1");
  ASSERT_TRUE(is_ok(engine->drop_index("name")));
  const Index second = engine.create("name", IndexKind::kHash);
  EXPECT_GT(second.id(), first.id());
  EXPECT_EQ(scan(*engine, second), Entries{});
  engine.put(second, "own", "2");
  engine.reopen();
  EXPECT_EQ(scan(*engine, engine.find("name", IndexKind::kHash)), (Entries{{"own", "2"}}));
  engine.flush();
  engine.reopen();
  const Index reopened = engine.find("name", IndexKind::kHash);
  EXPECT_EQ(scan(*engine, reopened), (Entries{{"own", "2"}}));
  EXPECT_EQ(reopened.id(), second.id());
  ASSERT_TRUE(is_ok(engine->drop_index("name")));
  engine.flush();
  engine.reopen();
  EXPECT_GT(engine.create("name").id(), second.id());
}

class EngineOfKind : public testing::TestWithParam<IndexKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EngineOfKind, testing::Values(IndexKind::kTree, IndexKind::kHash),
                         [](const auto& kind) { return kind.param == IndexKind::kTree ? "tree" : "hash"; });

TEST_P(EngineOfKind, reads_what_was_written_in_memory_in_tables_and_after_reopening) {
  TestEngine engine;
  std::vector<Index> indexes{engine.create("a", GetParam()), engine.create("b", GetParam())};
  engine.put(indexes[0], "erased", "1");
  engine.put(indexes[0], "replaced", "1");
  engine.put(indexes[0], "left", "1");
  engine.put(indexes[1], "left", "of b");
  const auto check = [&](const Entries& a, const Entries& b) {
    EXPECT_EQ(scan(*engine, indexes[0]), a);
    EXPECT_EQ(scan(*engine, indexes[1]), b);
    for (const char* key : {"erased", "replaced", "left", "new", "", "lef", "leftx"}) {
      EXPECT_EQ(value_of(*engine, indexes[0], key), a.contains(key) ? a.at(key) : "(none)") << key;
      EXPECT_EQ(value_of(*engine, indexes[1], key), b.contains(key) ? b.at(key) : "(none)") << key;
    }
  };
  const auto reopen = [&] {
    engine.reopen();
    indexes = {engine.find("a", GetParam()), engine.find("b", GetParam())};
  };
  const Entries first{{"erased", "1"}, {"replaced", "1"}, {"left", "1"}};
  check(first, {{"left", "of b"}});
  engine.flush();
  check(first, {{"left", "of b"}});
  engine.erase(indexes[0], "erased");
  engine.erase(indexes[0], "never there");
  engine.put(indexes[0], "replaced", "2");
  engine.put(indexes[0], "new", "");
  const Entries second{{"replaced", "2"}, {"left", "1"}, {"new", ""}};
  check(second, {{"left", "of b"}});
  reopen();
  check(second, {{"left", "of b"}});
  engine.flush();
  check(second, {{"left", "of b"}});
  reopen();
  check(second, {{"left", "of b"}});
}

TEST_P(EngineOfKind, applies_a_batch_in_its_order) {
  TestEngine engine;
  const Index a = engine.create("a", GetParam());
  const Index b = engine.create("b", GetParam());
  WriteBatch batch;
  std::uint64_t before = 0;
  ASSERT_TRUE(is_ok(engine->write({}, batch, &before)));
  batch.put(a, "key", "first");
  batch.erase(a, "key");
  batch.put(b, "key", "of b");
  batch.put(a, "key", "last");
  batch.put(a, "gone", "1");
  batch.erase(a, "gone");
  EXPECT_EQ(batch.count(), 6u);
  std::uint64_t sequence = 0;
  ASSERT_TRUE(is_ok(engine->write({}, batch, &sequence)));
  EXPECT_GT(sequence, before);
  EXPECT_EQ(engine->snapshot()->sequence(), sequence);
  for (int i = 0; i < 3; ++i) {
    const Index now = engine.find("a", GetParam());
    EXPECT_EQ(scan(*engine, now), (Entries{{"key", "last"}}));
    EXPECT_EQ(value_of(*engine, now, "key"), "last");
    EXPECT_EQ(scan(*engine, engine.find("b", GetParam())), (Entries{{"key", "of b"}}));
    i == 0 ? engine.flush() : engine.reopen();
  }
  batch.clear();
  EXPECT_EQ(batch.count(), 0u);
}

TEST_P(EngineOfKind, shows_a_snapshot_the_same_through_writes_freezes_flushes_and_drops) {
  TestEngine engine;
  const Index index = engine.create("index", GetParam());
  const Index other = engine.create("other", GetParam());
  Entries expected;
  for (int i = 0; i < 300; ++i) {
    engine.put(index, "key" + std::to_string(i), "old");
    expected["key" + std::to_string(i)] = "old";
    if (i == 100) engine.flush();
  }
  engine.put(other, "key", "old");
  const auto snapshot = engine->snapshot();
  const auto check = [&] {
    EXPECT_EQ(scan(*engine, index, snapshot.get()), expected);
    if (GetParam() == IndexKind::kTree) {
      EXPECT_EQ(scan_backwards(*engine, index, snapshot.get()), expected);
    }
    EXPECT_EQ(value_of(*engine, index, "key7", snapshot.get()), "old");
    EXPECT_EQ(value_of(*engine, index, "key207", snapshot.get()), "old");
    EXPECT_EQ(value_of(*engine, index, "new", snapshot.get()), "(none)");
  };
  for (int round = 0; round < 3; ++round) {
    engine.put(index, "new", "1");
    engine.erase(index, "key7");
    for (int i = 200; i < 300; ++i) engine.put(index, "key" + std::to_string(i), "new" + std::to_string(round));
    check();
    engine.flush();
    check();
  }
  const auto iterator = [&] {
    IteratorOptions options;
    options.snapshot = snapshot.get();
    return engine->iterator(options, other);
  }();
  ASSERT_TRUE(is_ok(engine->drop_index("other")));
  engine.flush();
  iterator->seek_to_first();
  ASSERT_TRUE(iterator->valid());
  EXPECT_EQ(iterator->value(), "old");
  check();
  EXPECT_EQ(value_of(*engine, index, "key7"), "(none)");
  EXPECT_EQ(value_of(*engine, index, "key207"), "new2");
}

TEST(EngineHash, is_scanned_forwards_and_refuses_what_needs_an_order) {
  TestEngine engine;
  const Index hash = engine.create("hash", IndexKind::kHash);
  Entries expected;
  for (int i = 0; i < 50; ++i) {
    engine.put(hash, std::to_string(i), std::to_string(2 * i));
    expected[std::to_string(i)] = std::to_string(2 * i);
    if (i == 20) engine.flush();
  }
  engine.erase(hash, "7");
  expected.erase("7");
  EXPECT_EQ(scan(*engine, hash), expected);
  const auto it = engine->iterator({}, hash);
  const auto refused = [&] { return !it->valid() && it->status().is_not_supported(); };
  it->seek_to_last();
  EXPECT_TRUE(refused());
  it->seek("1");
  EXPECT_TRUE(refused());
  it->seek_for_prev("1");
  EXPECT_TRUE(refused());
  it->seek_to_first();
  ASSERT_TRUE(it->valid());
  EXPECT_TRUE(is_ok(it->status()));
  it->prev();
  EXPECT_TRUE(refused());
}

// Three layers of which each hides something of those below it: tables, tables of a later flush, memory.
Entries fill_layers(TestEngine& engine, const Index& index) {
  Entries expected;
  for (int layer = 0; layer < 3; ++layer) {
    for (int i = 0; i < 60; ++i) {
      const std::string key = std::string(1, static_cast<char>('A' + i)) + (i % 5 == 0 ? "" : "x");
      if (i % 3 == layer || i % 4 == 1) {
        engine.put(index, key, std::to_string(layer));
        expected[key] = std::to_string(layer);
      } else if (i % 7 == layer) {
        engine.erase(index, key);
        expected.erase(key);
      }
    }
    if (layer < 2) engine.flush();
  }
  return expected;
}

void expect_at(const Iterator& it, const Entries& expected, Entries::const_iterator at, const std::string& what) {
  ASSERT_EQ(it.valid(), at != expected.end()) << what;
  if (!it.valid()) return;
  EXPECT_EQ(it.key(), at->first) << what;
  EXPECT_EQ(it.value(), at->second) << what;
}

// The next lower one, or end().
Entries::const_iterator before(const Entries& entries, Entries::const_iterator at) {
  return at == entries.begin() ? entries.end() : std::prev(at);
}

TEST(EngineIterator, goes_where_a_map_goes_from_every_position_and_in_every_direction) {
  TestEngine engine;
  const Index index = engine.create("index");
  const Entries all = fill_layers(engine, index);
  ASSERT_GT(all.size(), 20u);
  for (const auto& [lower, upper] : std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>>{
           {{}, {}}, {"F", {}}, {{}, "W"}, {"Gx", "Z"}, {"C0", "t0"}, {"Z", "A"}, {"M", "M"}}) {
    Entries expected = all;
    if (lower) expected.erase(expected.begin(), expected.lower_bound(*lower));
    if (upper) expected.erase(expected.lower_bound(*upper), expected.end());
    IteratorOptions options;
    if (lower) options.lower_bound = &*lower;
    if (upper) options.upper_bound = &*upper;
    const auto it = engine->iterator(options, index);
    EXPECT_FALSE(it->valid());
    it->seek_to_first();
    expect_at(*it, expected, expected.begin(), "first");
    it->seek_to_last();
    expect_at(*it, expected, before(expected, expected.end()), "last");
    for (char c = '@'; c <= '~'; ++c) {
      for (const char* tail : {"", "w", "x", "y"}) {
        const std::string target = c + std::string(tail);
        for (int turns = 0; turns < 8; ++turns) {
          const auto step = [&](Entries::const_iterator at, bool forward) {
            forward ? it->next() : it->prev();
            return forward ? std::next(at) : before(expected, at);
          };
          it->seek(target);
          Entries::const_iterator at = expected.lower_bound(target);
          expect_at(*it, expected, at, "seek " + target);
          for (int bit = 0; bit < 3 && at != expected.end(); ++bit) {
            at = step(at, (turns >> bit & 1) != 0);
            expect_at(*it, expected, at, "seek " + target + ", moves " + std::to_string(turns));
          }
          it->seek_for_prev(target);
          at = before(expected, expected.upper_bound(target));
          expect_at(*it, expected, at, "seek_for_prev " + target);
          for (int bit = 0; bit < 3 && at != expected.end(); ++bit) {
            at = step(at, (turns >> bit & 1) != 0);
            expect_at(*it, expected, at, "seek_for_prev " + target + ", moves " + std::to_string(turns));
          }
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

TEST(EngineIterator, walks_long_ways_and_back_over_all_layers) {
  TestEngine engine;
  const Index index = engine.create("index");
  Entries expected;
  for (int layer = 0; layer < 3; ++layer) {
    for (int i = layer; i < 1000; i += 1 + layer) {
      const std::string key = std::to_string(10000 + i);
      engine.put(index, key, std::to_string(layer));
      expected[key] = std::to_string(layer);
    }
    if (layer < 2) engine.flush();
  }
  EXPECT_EQ(scan(*engine, index), expected);
  EXPECT_EQ(scan_backwards(*engine, index), expected);
  const auto it = engine->iterator({}, index);
  auto at = expected.begin();
  it->seek_to_first();
  // Ever longer walks there and back, so that each layer turns at every place of its pieces.
  for (int length = 1; length < 120; ++length) {
    for (int i = 0; i < 2 * length && std::next(at) != expected.end(); ++i, ++at) it->next();
    for (int i = 0; i < length; ++i, --at) it->prev();
    expect_at(*it, expected, at, "after walks of " + std::to_string(length));
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(EngineIterator, sees_the_moment_of_its_creation) {
  TestEngine engine;
  const Index index = engine.create("index");
  engine.put(index, "a", "1");
  engine.put(index, "b", "1");
  const auto it = engine->iterator({}, index);
  engine.put(index, "a", "2");
  engine.put(index, "c", "2");
  engine.erase(index, "b");
  engine.flush();
  it->seek_to_first();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->value(), "1");
  it->next();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), "b");
  it->next();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(scan(*engine, index), (Entries{{"a", "2"}, {"c", "2"}}));
}

TEST(EngineClose, is_busy_while_there_are_readers_and_then_ends_everything) {
  TestEngine engine;
  const Index index = engine.create("index");
  engine.put(index, "key", "value");
  engine.flush();
  auto snapshot = engine->snapshot();
  auto iterator = engine->iterator({}, index);
  EXPECT_TRUE(is_refused(engine->close(), StatusCode::kBusy, "2"));
  snapshot.reset();
  EXPECT_TRUE(is_refused(engine->close(), StatusCode::kBusy, "1"));
  engine.put(index, "more", "value");
  iterator.reset();
  ASSERT_TRUE(is_ok(engine->close()));

  const auto is_closed = [](const Status& status) { return status.code() == StatusCode::kShutdownInProgress; };
  Index other;
  std::string value;
  WriteBatch batch;
  batch.put(index, "key", "value");
  EXPECT_TRUE(is_closed(engine->create_index("other", IndexKind::kTree, &other)));
  EXPECT_TRUE(is_closed(engine->open_index("index", IndexKind::kTree, &other)));
  EXPECT_TRUE(is_closed(engine->drop_index("index")));
  EXPECT_TRUE(is_closed(engine->put({}, index, "key", "value")));
  EXPECT_TRUE(is_closed(engine->erase({}, index, "key")));
  EXPECT_TRUE(is_closed(engine->write({}, batch)));
  EXPECT_TRUE(is_closed(engine->get({}, index, "key", &value)));
  EXPECT_TRUE(is_closed(engine->iterator({}, index)->status()));
  EXPECT_EQ(engine->snapshot(), nullptr);
  EXPECT_TRUE(is_closed(engine->sync()));
  EXPECT_TRUE(is_closed(engine->flush()));
  EXPECT_TRUE(is_ok(engine->close()));
  static_cast<void>(engine->stats());

  // The store is free for the next one, though the handle is still there.
  std::unique_ptr<Engine> next;
  ASSERT_TRUE(is_ok(Engine::open(small_options(), engine.path(), &next)));
  ASSERT_TRUE(is_ok(next->open_index("index", IndexKind::kTree, &other)));
  EXPECT_EQ(scan(*next, other), (Entries{{"key", "value"}, {"more", "value"}}));
}

TEST(EngineClose, by_destruction_keeps_the_store_locked_until_the_last_reader_ends) {
  for (const bool in_tables : {false, true}) {
    TestEngine engine;
    const Index index = engine.create("index");
    engine.put(index, "key", "value");
    if (in_tables) engine.flush();
    WriteOptions buffered;
    buffered.durability = Durability::kBuffered;
    ASSERT_TRUE(is_ok(engine->put(buffered, index, "last", "value")));
    auto snapshot = engine->snapshot();
    auto iterator = engine->iterator({}, index);
    engine.engine().reset();
    std::unique_ptr<Engine> next;
    EXPECT_TRUE(is_refused(Engine::open(small_options(), engine.path(), &next), StatusCode::kBusy, "LOCK"));
    iterator->seek("key");
    ASSERT_TRUE(iterator->valid());
    EXPECT_EQ(iterator->value(), "value");
    iterator->next();
    EXPECT_TRUE(iterator->valid());
    snapshot.reset();
    EXPECT_TRUE(is_refused(Engine::open(small_options(), engine.path(), &next), StatusCode::kBusy, "LOCK"));
    iterator.reset();
    engine.open();
    EXPECT_EQ(value_of(*engine, engine.find("index"), "key"), "value");
    EXPECT_EQ(value_of(*engine, engine.find("index"), "last"), "value");
  }
}

TEST(EngineOpen, creates_a_store_or_not_as_the_options_say) {
  TestEngine engine;
  engine.create("index");
  engine.engine().reset();
  Options options = small_options();
  std::unique_ptr<Engine> other;
  options.error_if_exists = true;
  EXPECT_TRUE(is_refused(Engine::open(options, engine.path(), &other), StatusCode::kInvalidArgument, engine.path()));
  options.error_if_exists = false;
  options.create_if_missing = false;
  const std::string missing = engine.directory() + "/missing";
  EXPECT_TRUE(is_refused(Engine::open(options, missing, &other), StatusCode::kNotFound, missing));
  EXPECT_FALSE(std::filesystem::exists(missing));
  EXPECT_TRUE(is_ok(Engine::open(options, engine.path(), &other)));
}

TEST(EngineStats, count_what_happens) {
  TestEngine engine;
  const Index index = engine.create("index");
  const EngineStats first = engine->stats();
  engine.put(index, "a", "1");
  WriteBatch batch;
  batch.put(index, "b", "1");
  batch.erase(index, "c");
  ASSERT_TRUE(is_ok(engine->write({}, batch)));
  value_of(*engine, index, "a");
  value_of(*engine, index, "c");
  scan(*engine, index);
  engine->snapshot();
  const EngineStats memory = engine->stats();
  EXPECT_EQ(memory.commits - first.commits, 2u);
  EXPECT_EQ(memory.operations - first.operations, 3u);
  EXPECT_EQ(memory.gets - first.gets, 2u);
  EXPECT_EQ(memory.gets_found - first.gets_found, 1u);
  EXPECT_EQ(memory.iterators - first.iterators, 1u);
  EXPECT_EQ(memory.snapshots - first.snapshots, 1u);
  EXPECT_GT(memory.log_bytes, first.log_bytes);
  EXPECT_GT(memory.log_writes, first.log_writes);
  EXPECT_GT(memory.memtable_bytes, first.memtable_bytes);
  EXPECT_EQ(memory.generations, 1u);
  engine.flush();
  const EngineStats flushed = engine->stats();
  EXPECT_EQ(flushed.freezes - memory.freezes, 1u);
  EXPECT_EQ(flushed.flushes - memory.flushes, 1u);
  EXPECT_EQ(flushed.flushed_entries - memory.flushed_entries, 3u);
  EXPECT_GT(flushed.flushed_bytes, memory.flushed_bytes);
  EXPECT_EQ(flushed.memtable_bytes, 0u);
  EXPECT_EQ(flushed.generations, 1u);
  WriteOptions disk;
  disk.durability = Durability::kDisk;
  ASSERT_TRUE(is_ok(engine->put(disk, index, "d", "1")));
  EXPECT_GT(engine->stats().log_syncs, flushed.log_syncs);
}

TEST(EngineRecovery, says_what_it_replayed) {
  TestEngine engine;
  const Index index = engine.create("index");
  engine.put(index, "flushed", "1");
  engine.flush();
  engine.put(index, "a", "1");
  engine.put(index, "b", "1");
  const std::uint64_t sequence = engine->snapshot()->sequence();
  engine.reopen();
  const RecoveryReport& report = engine->recovery_report();
  EXPECT_EQ(report.records_replayed, 2u);
  EXPECT_GT(report.bytes_replayed, 0u);
  EXPECT_EQ(report.recovered_to, sequence);
  EXPECT_EQ(report.bytes_dropped, 0u);
  EXPECT_TRUE(is_ok(report.damage));
}

TEST(EngineMemory, is_bounded_by_waiting_for_flushes) {
  Options options = small_options();
  options.memory_budget = 2 * options.memtable_bytes;
  TestEngine engine(options);
  const Index index = engine.create("index");
  const std::string value(3000, 'v');
  std::uint64_t highest = 0;
  for (int i = 0; i < 60; ++i) {
    engine.put(index, std::to_string(i), value);
    highest = std::max(highest, engine->stats().memtable_bytes);
  }
  EXPECT_LE(highest, options.memory_budget + 2 * value.size());
  EXPECT_GT(engine->stats().flushes, 0u);
  EXPECT_EQ(scan(*engine, index).size(), 60u);
}

}  // namespace
}  // namespace scree::test
