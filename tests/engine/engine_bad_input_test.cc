// SPDX-License-Identifier: Apache-2.0
//
// What the engine refuses, what it bears at its limits, and what it says about a place or a file that is not as it
// should be. Each is a Status that names the thing; the store stays as it was.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "engine/engine_support.h"

namespace scree::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOpenCommand = "--open";
constexpr int kWasBusy = 3;

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_all(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Status open(const std::string& path, std::unique_ptr<Engine>* engine,
            RecoveryMode mode = small_options().recovery_mode) {
  Options options = small_options();
  options.recovery_mode = mode;
  return Engine::open(options, path, engine);
}
Status try_open(const std::string& path) {
  std::unique_ptr<Engine> engine;
  Status status = open(path, &engine);
  EXPECT_EQ(status.is_ok(), engine != nullptr);
  return status;
}

TEST(EngineKeys, of_any_bytes_and_up_to_the_limit_are_kept) {
  std::vector<std::string> keys{"",     std::string(1, '\0'), std::string(3, '\0'),
                                "\xff", "\xff\xff",           std::string(kMaxKeyBytes, 'k')};
  for (int byte = 0; byte < 256; ++byte) keys.push_back(std::string("b\0", 2) + static_cast<char>(byte));
  for (const IndexKind kind : {IndexKind::kTree, IndexKind::kHash}) {
    TestEngine engine;
    Index index = engine.create(std::string(255, '\n'), kind);
    Entries expected;
    for (const std::string& key : keys) {
      expected[key] = key.substr(0, 100) + std::string("\0v", 2);
      engine.put(index, key, expected[key]);
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(scan(*engine, index) == expected);
      for (const auto& [key, value] : expected) EXPECT_EQ(value_of(*engine, index, key), value);
      i == 0 ? engine.reopen() : engine.flush();
      index = engine.find(std::string(255, '\n'), kind);
    }
  }
}

TEST(EngineKeys, above_the_limit_are_refused) {
  TestEngine engine;
  const Index index = engine.create("index");
  const std::string key(kMaxKeyBytes + 1, 'k');
  const std::string size = std::to_string(kMaxKeyBytes + 1);
  std::string value;
  EXPECT_TRUE(is_refused(engine->put({}, index, key, "value"), StatusCode::kInvalidArgument, size));
  EXPECT_TRUE(is_refused(engine->erase({}, index, key), StatusCode::kInvalidArgument, size));
  EXPECT_TRUE(is_refused(engine->get({}, index, key, &value), StatusCode::kInvalidArgument, size));
  WriteBatch batch;
  batch.put(index, "small", "value");
  batch.put(index, key, "value");
  EXPECT_TRUE(is_refused(engine->write({}, batch), StatusCode::kInvalidArgument, size));
  EXPECT_EQ(scan(*engine, index), Entries{});
  const auto it = engine->iterator({}, index);
  it->seek(key);
  EXPECT_TRUE(is_ok(it->status()));
}

TEST(EngineValues, of_64_mib_pass_through_log_tables_and_recovery) {
  TestEngine engine{Options{}};
  Index index = engine.create("index");
  std::string value(64u << 20, 'v');
  for (std::size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>(i >> 12);
  engine.put(index, "key", value);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(value_of(*engine, index, "key") == value) << i;
    i == 1 ? engine.flush() : engine.reopen();
    index = engine.find("index");
  }
}

TEST(EngineValues, of_256_mib_are_the_largest) {
  TestEngine engine{Options{}};
  const Index index = engine.create("index");
  std::string value(kMaxValueBytes + 1, 'v');
  const std::string size = std::to_string(value.size());
  EXPECT_TRUE(is_refused(engine->put({}, index, "key", value), StatusCode::kInvalidArgument, size));
  value.pop_back();
  engine.put(index, "key", value);
  engine.flush();
  std::string read;
  ASSERT_TRUE(is_ok(engine->get({}, index, "key", &read)));
  EXPECT_TRUE(read == value);
  // One that is alone larger than the budget does not stop the next one.
  engine.put(index, "small", "value");
}

TEST(EngineIndexes, that_are_unknown_of_another_kind_or_badly_named_are_refused) {
  TestEngine engine;
  const Index tree = engine.create("tree");
  Index index;
  EXPECT_TRUE(is_refused(engine->open_index("none", IndexKind::kTree, &index), StatusCode::kNotFound, "none"));
  EXPECT_TRUE(is_refused(engine->drop_index("none"), StatusCode::kNotFound, "none"));
  EXPECT_TRUE(is_refused(engine->open_index("tree", IndexKind::kHash, &index), StatusCode::kInvalidArgument, "tree"));
  EXPECT_TRUE(is_refused(engine->create_index("tree", IndexKind::kHash, &index), StatusCode::kInvalidArgument, "tree"));
  EXPECT_TRUE(is_refused(engine->create_index("", IndexKind::kTree, &index), StatusCode::kInvalidArgument, "0 bytes"));
  EXPECT_TRUE(is_refused(engine->create_index(std::string(256, 'n'), IndexKind::kTree, &index),
                         StatusCode::kInvalidArgument, "256 bytes"));
  EXPECT_TRUE(
      is_refused(engine->create_index("odd", static_cast<IndexKind>(7), &index), StatusCode::kInvalidArgument, "odd"));
  EXPECT_FALSE(index.is_valid());
  EXPECT_EQ(engine->list_indexes().size(), 1u);
}

TEST(EngineHandles, that_name_nothing_or_are_of_another_engine_are_refused) {
  TestEngine engine;
  TestEngine other;
  const Index own = engine.create("own");
  const Index foreign = other.create("foreign");
  const auto check = [&](const Index& index, std::string_view what) {
    std::string value;
    EXPECT_TRUE(is_refused(engine->put({}, index, "key", "value"), StatusCode::kInvalidArgument, what));
    EXPECT_TRUE(is_refused(engine->erase({}, index, "key"), StatusCode::kInvalidArgument, what));
    EXPECT_TRUE(is_refused(engine->get({}, index, "key", &value), StatusCode::kInvalidArgument, what));
    const auto it = engine->iterator({}, index);
    it->seek_to_first();
    EXPECT_FALSE(it->valid());
    EXPECT_TRUE(is_refused(it->status(), StatusCode::kInvalidArgument, what));
    WriteBatch batch;
    batch.put(own, "key", "value");
    batch.put(index, "key", "value");
    EXPECT_TRUE(is_refused(engine->write({}, batch), StatusCode::kInvalidArgument, what));
    EXPECT_EQ(scan(*engine, own), Entries{});
  };
  check(Index(), "no index");
  check(foreign, "foreign");
  engine.reopen();
  std::string value;
  EXPECT_TRUE(is_refused(engine->get({}, own, "key", &value), StatusCode::kInvalidArgument, "own"));

  const auto snapshot = other->snapshot();
  const Index reopened = engine.find("own");
  ReadOptions read;
  read.snapshot = snapshot.get();
  EXPECT_TRUE(is_refused(engine->get(read, reopened, "key", &value), StatusCode::kInvalidArgument, "snapshot"));
  IteratorOptions iterate;
  iterate.snapshot = snapshot.get();
  EXPECT_TRUE(is_refused(engine->iterator(iterate, reopened)->status(), StatusCode::kInvalidArgument, "snapshot"));
}

TEST(EngineOptions, that_make_no_sense_are_refused_and_nothing_is_created) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store";
  const auto refused = [&](const char* what, auto&& change) {
    Options options = small_options();
    change(options);
    std::unique_ptr<Engine> engine;
    EXPECT_TRUE(is_refused(Engine::open(options, path, &engine), StatusCode::kInvalidArgument, what));
    EXPECT_FALSE(fs::exists(path));
  };
  refused("memtable_bytes", [](Options& o) { o.memtable_bytes = 0; });
  refused("memory_budget", [](Options& o) { o.memory_budget = o.memtable_bytes - 1; });
  refused("wal_segment_bytes", [](Options& o) { o.wal_segment_bytes = (64u << 10) - 1; });
  refused("wal_segment_bytes", [](Options& o) { o.wal_segment_bytes = (std::size_t{4} << 30) + 1; });
  refused("recovery_mode", [](Options& o) { o.recovery_mode = static_cast<RecoveryMode>(9); });
  refused("compression", [](Options& o) { o.compression = static_cast<Compression>(9); });
  refused("bloom_bits", [](Options& o) { o.bloom_bits = -1; });
}

TEST(EnginePath, that_cannot_be_a_store_is_refused_by_name) {
  const TemporaryDirectory directory;
  const std::string file = directory / "file";
  write_all(file, "something else");
  EXPECT_TRUE(is_refused(try_open(""), StatusCode::kInvalidArgument, "path"));
  EXPECT_TRUE(is_refused(try_open(file), StatusCode::kInvalidArgument, file));
  EXPECT_EQ(read_all(file), "something else");
  for (const std::string& path : {file + "/store", directory / "missing/store", std::string("/proc/scree-store")}) {
    const Status status = try_open(path);
    EXPECT_TRUE(status.is_not_found() || status.is_io_error()) << status.to_string();
    EXPECT_NE(status.message().find(path), std::string_view::npos) << status.to_string();
  }
}

TEST(EnginePath, of_something_else_is_left_as_it_is) {
  const TemporaryDirectory directory;
  write_all(directory / "letter", "dear");
  EXPECT_TRUE(is_refused(try_open(directory.path()), StatusCode::kInvalidArgument, "letter"));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
  EXPECT_EQ(read_all(directory / "letter"), "dear");

  TestEngine engine;
  engine.engine().reset();
  fs::remove(engine.path() + "/STORE");
  EXPECT_TRUE(is_refused(try_open(engine.path()), StatusCode::kInvalidArgument, "STORE"));
}

TEST(EnginePath, that_is_open_is_busy_in_this_process_and_in_another) {
  TestEngine engine;
  EXPECT_TRUE(is_refused(try_open(engine.path()), StatusCode::kBusy, engine.path()));
  const auto open_elsewhere = [&] {
    const std::string path = engine.path();
    const pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "engine_bad_input_test", kOpenCommand, path.c_str(), nullptr);
      _exit(1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(open_elsewhere(), kWasBusy);
  engine.create("still working");
  engine.engine().reset();
  EXPECT_EQ(open_elsewhere(), 0);
}

TEST(EngineIdentity, that_is_damaged_at_any_byte_is_refused) {
  TestEngine engine;
  engine.put(engine.create("index"), "key", "value");
  engine.engine().reset();
  const std::string path = engine.path() + "/STORE";
  const std::string good = read_all(path);
  ASSERT_EQ(good.size(), 28u);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
    for (const std::string& damaged : {bytes, good.substr(0, i)}) {
      write_all(path, damaged);
      const Status status = try_open(engine.path());
      EXPECT_TRUE(status.is_corruption() || status.is_not_supported()) << i << ": " << status.to_string();
      EXPECT_NE(status.message().find("STORE"), std::string_view::npos) << status.to_string();
    }
  }
  write_all(path, good + "x");
  EXPECT_TRUE(try_open(engine.path()).is_corruption());
  write_all(path, good);
  engine.open();
  EXPECT_EQ(value_of(*engine, engine.find("index"), "key"), "value");
}

// A store whose log, one small segment, holds the creation of two indexes and then some writes.
class SmallLog {
 public:
  SmallLog() {
    note(0);
    tree_ = engine_.create("tree");
    now_["tree"];
    note(engine_->snapshot()->sequence());
    hash_ = engine_.create("hash", IndexKind::kHash);
    now_["hash"];
    note(engine_->snapshot()->sequence());
    write([&](WriteBatch& batch) { batch.put(tree_, "a", "1"), now_["tree"]["a"] = "1"; });
    write([&](WriteBatch& batch) {
      batch.put(tree_, "b", "2"), now_["tree"]["b"] = "2";
      batch.put(hash_, "b", "2"), now_["hash"]["b"] = "2";
    });
    write([&](WriteBatch& batch) { batch.erase(tree_, "a"), now_["tree"].erase("a"); });
    write([&](WriteBatch& batch) {
      batch.put(hash_, "b", "3"), now_["hash"]["b"] = "3";
      batch.put(tree_, "c", ""), now_["tree"]["c"] = "";
    });
    engine_.engine().reset();
    for (const auto& entry : fs::directory_iterator(engine_.path() + "/wal"))
      segments_.push_back(entry.path().filename());
    if (segments_.size() != 1) ADD_FAILURE() << segments_.size() << " segments";
    bytes_ = read_all(engine_.path() + "/wal/" + segments_.front());
    used_ = bytes_.find_last_not_of('\0') + 1;
  }

  std::size_t used() const noexcept { return used_; }
  const std::string& bytes() const noexcept { return bytes_; }
  std::size_t count() const noexcept { return states_.size(); }

  // Opens a copy of the store whose log is `bytes`, which differ from the good ones from `damage` on. It has to be a
  // Status, or exactly the writes up to some one, of which none is missing that lies before the damage. True if it
  // opened.
  bool check(const std::string& bytes, std::size_t damage, RecoveryMode mode) {
    const std::string what = "byte " + std::to_string(damage) + ", mode " + std::to_string(static_cast<int>(mode));
    const std::string copy = copies_ / "copy";
    fs::remove_all(copy);
    fs::copy(engine_.path(), copy, fs::copy_options::recursive);
    write_all(copy + "/wal/" + segments_.front(), bytes);
    std::unique_ptr<Engine> engine;
    const Status status = open(copy, &engine, mode);
    if (!status.is_ok()) {
      EXPECT_TRUE(status.is_corruption() || status.is_not_supported()) << what << ": " << status.to_string();
      EXPECT_NE(status.message().find(segments_.front()), std::string_view::npos) << what << ": " << status.to_string();
      return false;
    }
    Stores found = contents(*engine);
    const auto same = std::find_if(states_.begin(), states_.end(), [&](const State& s) { return s.stores == found; });
    if (same == states_.end()) {
      ADD_FAILURE() << what << ": not the writes up to any one";
      return true;
    }
    const auto next = std::next(same);
    EXPECT_TRUE(next == states_.end() || next->end > damage) << what << ": a write before it is gone";
    if (next != states_.end() && engine->recovery_report().damage.is_ok()) {
      EXPECT_TRUE(ends_at_border(bytes)) << what << ": not reported";
    }

    // Life goes on behind the damage.
    Index later;
    EXPECT_TRUE(is_ok(engine->create_index("later", IndexKind::kTree, &later))) << what;
    EXPECT_TRUE(is_ok(engine->put({}, later, "key", "value"))) << what;
    found["later"]["key"] = "value";
    engine.reset();
    EXPECT_TRUE(is_ok(open(copy, &engine))) << what;
    if (engine != nullptr) {
      EXPECT_EQ(contents(*engine), found) << what;
    }
    return true;
  }

 private:
  using Stores = std::map<std::string, Entries>;
  struct State {
    std::uint64_t end;  // of the record that leads to it, in the file
    Stores stores;
  };

  static Stores contents(const Engine& engine) {
    Stores stores;
    for (const Index& index : engine.list_indexes()) stores[std::string(index.name())] = scan(engine, index);
    return stores;
  }
  template <class Fill>
  void write(Fill&& fill) {
    WriteBatch batch;
    fill(batch);
    std::uint64_t sequence = 0;
    EXPECT_TRUE(is_ok(engine_->write({}, batch, &sequence)));
    note(sequence);
  }
  void note(std::uint64_t sequence) { states_.push_back({sequence, now_}); }
  // Whether they cannot be told from a log that never was longer: whole records, or no more than some of the segment's
  // header.
  bool ends_at_border(const std::string& bytes) const {
    const std::size_t end = bytes.find_last_not_of('\0') + 1;
    const auto is_border = [&](std::size_t border) {
      return end <= border && bytes.compare(0, border, bytes_, 0, border) == 0;
    };
    return end <= 64 || is_border(kFirstRecordEnd) ||
           std::any_of(states_.begin(), states_.end(), [&](const State& s) { return is_border(s.end); });
  }
  static constexpr std::size_t kFirstRecordEnd =
      112;  // wal/FORMAT.md: behind the header and the record that opens the log

  const TemporaryDirectory copies_{memory_directory()};
  TestEngine engine_;
  Index tree_;
  Index hash_;
  Stores now_;
  std::vector<State> states_;
  std::vector<std::string> segments_;
  std::string bytes_;
  std::size_t used_ = 0;
};

constexpr RecoveryMode kModes[] = {RecoveryMode::kPointInTimeRecovery, RecoveryMode::kTolerateCorruptedTailRecords,
                                   RecoveryMode::kAbsoluteConsistency};

TEST(EngineLog, that_is_flipped_at_any_byte_gives_a_status_or_a_prefix) {
  SmallLog log;
  int opened = 0;
  int refused = 0;
  for (std::size_t i = 0; i < log.used(); ++i) {
    std::string bytes = log.bytes();
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
    (log.check(bytes, i, kModes[i % 3]) ? opened : refused)++;
    if (HasFailure()) return;
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);
}

TEST(EngineLog, that_is_cut_gives_a_status_or_a_prefix) {
  SmallLog log;
  int opened = 0;
  for (std::size_t i = 0; i < log.used(); i += 3) {
    // A file that ends there, or one of the same size with nothing behind.
    std::string bytes = log.bytes().substr(0, i);
    if (i % 2 == 0) bytes.resize(log.bytes().size());
    opened += log.check(bytes, i, kModes[i / 3 % 3]) ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(opened, 0);
}

}  // namespace
}  // namespace scree::test

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == scree::test::kOpenCommand) {
    std::unique_ptr<scree::Engine> engine;
    const scree::Status status = scree::Engine::open(scree::test::small_options(), argv[2], &engine);
    return status.is_ok() ? 0 : status.is_busy() ? scree::test::kWasBusy : 1;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
