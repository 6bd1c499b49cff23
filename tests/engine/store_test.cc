// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store.h"
#include "store_value.h"

namespace scree::detail {
namespace {

namespace fs = std::filesystem;

// A new directory, removed at the end.
class Directory {
 public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "scree-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string db() const { return path_ + "/db"; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

#define ASSERT_OK(expression)                                \
  do {                                                       \
    const Status ok_status_ = (expression);                  \
    ASSERT_TRUE(ok_status_.is_ok()) << ok_status_.message(); \
  } while (false)

std::unique_ptr<Store> open_store(const std::string& directory) {
  std::unique_ptr<Store> store;
  const Status status = Store::open(StoreOptions{}, directory, &store);
  EXPECT_TRUE(status.is_ok()) << status.message();
  return store;
}

// One family's part of a flush; an absent value is an erasure.
using Entries = std::map<std::string, std::optional<std::string>>;

Status flush(Store& store, const std::map<std::uint32_t, Entries>& families, std::uint64_t flushed_to,
             const std::string& catalogue = "") {
  std::unique_ptr<FlushWriter> writer;
  if (Status status = store.new_flush(&writer); !status.is_ok()) return status;
  for (const auto& [id, entries] : families) {
    if (Status status = writer->begin_family(id); !status.is_ok()) return status;
    for (const auto& [key, value] : entries) {
      Status status = value ? writer->put(key, flushed_to, *value) : writer->erase(key);
      if (!status.is_ok()) return status;
    }
  }
  return writer->commit({flushed_to, catalogue});
}

std::string get(const StoreView& view, std::uint32_t family, const std::string& key) {
  std::string value;
  const Status status = view.get(family, key, &value);
  if (status.is_not_found()) return "(none)";
  return status.is_ok() ? value : "(error)";
}

std::vector<std::string> keys_forward(const StoreView& view, std::uint32_t family) {
  std::vector<std::string> keys;
  const auto cursor = view.iterate(family, nullptr, nullptr);
  if (cursor == nullptr) return keys;
  for (cursor->seek_to_first(); cursor->valid(); cursor->next()) keys.emplace_back(cursor->key());
  EXPECT_TRUE(cursor->status().is_ok()) << cursor->status().message();
  return keys;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<fs::path> files_with_prefix(const std::string& directory, const std::string& prefix) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  return found;
}

std::vector<fs::path> files_with_suffix(const std::string& directory, const std::string& suffix) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().ends_with(suffix)) found.push_back(entry.path());
  }
  return found;
}

TEST(Store, reads_back_what_a_flush_brought) {
  Directory directory;
  const auto store = open_store(directory.db());
  ASSERT_NE(store, nullptr);
  const std::string all_bytes = std::string("\x00\xff key", 6);
  const std::string large(3u << 20, 'v');
  ASSERT_OK(
      flush(*store, {{1, {{"", "empty key"}, {"a", ""}, {all_bytes, large}}}, {7, {{"a", "other family"}}}}, 300));

  const auto view = store->view();
  EXPECT_EQ(get(*view, 1, ""), "empty key");
  EXPECT_EQ(get(*view, 1, "a"), "");
  EXPECT_EQ(get(*view, 1, all_bytes), large);
  EXPECT_EQ(get(*view, 1, "b"), "(none)");
  EXPECT_EQ(get(*view, 7, "a"), "other family");
  EXPECT_EQ(get(*view, 8, "a"), "(none)");
  std::string value;
  std::uint64_t sequence = 0;
  ASSERT_OK(view->get(1, "a", &value, &sequence));
  EXPECT_EQ(sequence, 300u);
}

TEST(Store, counts_entries_and_bytes_of_a_flush) {
  Directory directory;
  const auto store = open_store(directory.db());
  std::unique_ptr<FlushWriter> writer;
  ASSERT_OK(store->new_flush(&writer));
  ASSERT_OK(writer->begin_family(1));
  ASSERT_OK(writer->put("key", 1, "value"));
  ASSERT_OK(writer->erase("lost"));
  EXPECT_EQ(writer->entries(), 2u);
  EXPECT_EQ(writer->bytes(), 12u);
}

TEST(Store, iterates_both_ways_within_bounds) {
  Directory directory;
  const auto store = open_store(directory.db());
  Entries entries;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(1000 + i);
    entries[key] = "v" + key;
  }
  ASSERT_OK(flush(*store, {{1, entries}}, 5));
  ASSERT_OK(flush(*store, {{1, {{"1500", "newer"}, {"1501", std::nullopt}}}}, 9));
  entries["1500"] = "newer";
  entries.erase("1501");

  const auto view = store->view();
  const std::string lower = "1100";
  const std::string upper = "1900";
  const auto cursor = view->iterate(1, &lower, &upper);
  ASSERT_NE(cursor, nullptr);
  auto expected = entries.lower_bound(lower);
  for (cursor->seek_to_first(); cursor->valid(); cursor->next(), ++expected) {
    ASSERT_EQ(cursor->key(), expected->first);
    ASSERT_EQ(cursor->value(), *expected->second);
    ASSERT_EQ(cursor->sequence(), expected->first == "1500" ? 9u : 5u);
  }
  EXPECT_EQ(expected, entries.lower_bound(upper));
  for (cursor->seek_to_last(); cursor->valid(); cursor->prev()) {
    --expected;
    ASSERT_EQ(cursor->key(), expected->first);
    ASSERT_EQ(cursor->value(), *expected->second);
  }
  EXPECT_EQ(expected, entries.lower_bound(lower));
  ASSERT_OK(cursor->status());

  cursor->seek("1501");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "1502");
  cursor->seek_for_prev("1501");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "1500");
  cursor->seek("19");
  EXPECT_FALSE(cursor->valid());
  cursor->seek("0");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "1100");
}

TEST(Store, a_view_does_not_see_later_flushes_and_erasures) {
  Directory directory;
  const auto store = open_store(directory.db());
  const auto empty = store->view();
  ASSERT_OK(flush(*store, {{1, {{"a", "1"}, {"b", "1"}}}}, 1));
  const auto first = store->view();
  const auto cursor = first->iterate(1, nullptr, nullptr);
  ASSERT_OK(flush(*store, {{1, {{"a", std::nullopt}, {"b", "2"}, {"c", "2"}}}, {2, {{"z", "2"}}}}, 2));
  // Enough overlapping files that RocksDB compacts under the views.
  for (std::uint64_t i = 3; i < 15; ++i) ASSERT_OK(flush(*store, {{1, {{"b", std::to_string(i)}, {"c", "x"}}}}, i));

  EXPECT_FALSE(empty->has_data(1));
  EXPECT_EQ(get(*empty, 1, "a"), "(none)");
  EXPECT_EQ(empty->iterate(1, nullptr, nullptr), nullptr);
  EXPECT_EQ(get(*first, 1, "a"), "1");
  EXPECT_EQ(get(*first, 1, "b"), "1");
  EXPECT_EQ(get(*first, 1, "c"), "(none)");
  EXPECT_FALSE(first->has_data(2));
  EXPECT_EQ(keys_forward(*first, 1), (std::vector<std::string>{"a", "b"}));
  cursor->seek("b");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->value(), "1");
  const auto last = store->view();
  EXPECT_EQ(get(*last, 1, "a"), "(none)");
  EXPECT_EQ(get(*last, 1, "b"), "14");
  EXPECT_EQ(get(*last, 2, "z"), "2");
}

TEST(Store, keeps_the_newest_of_two_flushes_over_a_reopen) {
  Directory directory;
  {
    const auto store = open_store(directory.db());
    EXPECT_EQ(store->metadata().flushed_to, 0u);
    ASSERT_OK(flush(*store, {{1, {{"a", "1"}, {"b", "1"}, {"c", "1"}}}, {2, {}}}, 10, "first"));
    ASSERT_OK(flush(*store, {{1, {{"a", "2"}, {"b", std::nullopt}}}, {3, {{"k", "3"}}}}, 20,
                    std::string("second\0catalogue", 16)));
    EXPECT_EQ(store->metadata().flushed_to, 20u);
  }
  const auto store = open_store(directory.db());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->metadata().flushed_to, 20u);
  EXPECT_EQ(store->metadata().catalogue, std::string("second\0catalogue", 16));
  EXPECT_EQ(store->families(), (std::vector<std::uint32_t>{1, 3}));
  const auto view = store->view();
  EXPECT_TRUE(view->has_data(1));
  EXPECT_FALSE(view->has_data(2));
  EXPECT_TRUE(view->has_data(3));
  EXPECT_EQ(get(*view, 1, "a"), "2");
  EXPECT_EQ(get(*view, 1, "b"), "(none)");
  EXPECT_EQ(get(*view, 1, "c"), "1");
  EXPECT_EQ(get(*view, 3, "k"), "3");
}

TEST(Store, a_flush_without_entries_records_its_metadata) {
  Directory directory;
  {
    const auto store = open_store(directory.db());
    ASSERT_OK(flush(*store, {{4, {}}}, 42, "catalogue only"));
    EXPECT_TRUE(store->families().empty());
  }
  const auto store = open_store(directory.db());
  EXPECT_EQ(store->metadata().flushed_to, 42u);
  EXPECT_EQ(store->metadata().catalogue, "catalogue only");
}

TEST(Store, an_abandoned_flush_leaves_nothing) {
  Directory directory;
  const auto store = open_store(directory.db());
  {
    std::unique_ptr<FlushWriter> writer;
    ASSERT_OK(store->new_flush(&writer));
    ASSERT_OK(writer->begin_family(1));
    ASSERT_OK(writer->put("a", 1, "never seen"));
    ASSERT_OK(writer->begin_family(2));
    ASSERT_OK(writer->put("a", 1, "never seen"));
  }
  EXPECT_TRUE(fs::is_empty(directory.db() + "/staging"));
  const auto view = store->view();
  EXPECT_FALSE(view->has_data(1));
  EXPECT_EQ(store->metadata().flushed_to, 0u);
}

TEST(Store, refuses_keys_out_of_order_and_a_family_twice) {
  Directory directory;
  const auto store = open_store(directory.db());
  std::unique_ptr<FlushWriter> writer;
  ASSERT_OK(store->new_flush(&writer));
  EXPECT_TRUE(writer->put("a", 1, "no family yet").is_invalid_argument());
  ASSERT_OK(writer->begin_family(1));
  ASSERT_OK(writer->put("b", 1, ""));
  EXPECT_TRUE(writer->put("b", 1, "").is_invalid_argument());
  EXPECT_TRUE(writer->put("a", 1, "").is_invalid_argument());
  ASSERT_OK(writer->begin_family(2));
  EXPECT_TRUE(writer->begin_family(1).is_invalid_argument());
}

TEST(Store, a_failed_commit_changes_nothing) {
  Directory directory;
  const auto store = open_store(directory.db());
  ASSERT_OK(flush(*store, {{1, {{"a", "1"}}}}, 1));
  std::unique_ptr<FlushWriter> writer;
  ASSERT_OK(store->new_flush(&writer));
  ASSERT_OK(writer->begin_family(1));
  ASSERT_OK(writer->put("a", 2, "2"));
  ASSERT_OK(writer->begin_family(2));
  ASSERT_OK(writer->put("a", 2, "2"));
  // Take away the finished file of family 1: the ingest of all has to fail.
  const auto staged = files_with_suffix(directory.db() + "/staging", ".sst");
  ASSERT_EQ(staged.size(), 2u);
  fs::remove(*std::min_element(staged.begin(), staged.end()));
  EXPECT_FALSE(writer->commit({2, "two"}).is_ok());
  writer.reset();
  EXPECT_TRUE(fs::is_empty(directory.db() + "/staging"));
  EXPECT_EQ(store->metadata().flushed_to, 1u);
  EXPECT_EQ(get(*store->view(), 1, "a"), "1");
  EXPECT_FALSE(store->view()->has_data(2));
  ASSERT_OK(flush(*store, {{1, {{"a", "3"}}}, {2, {{"a", "3"}}}}, 3));
  EXPECT_EQ(get(*store->view(), 1, "a"), "3");
}

TEST(Store, a_dropped_family_lives_on_in_views_and_iterators) {
  Directory directory;
  {
    const auto store = open_store(directory.db());
    ASSERT_OK(flush(*store, {{1, {{"a", "1"}, {"b", "1"}}}, {2, {{"a", "1"}}}}, 1));
    const auto view = store->view();
    const auto cursor = view->iterate(1, nullptr, nullptr);
    std::unique_ptr<FlushWriter> writer;  // begun before the drop: its part of the family is left out
    ASSERT_OK(store->new_flush(&writer));
    ASSERT_OK(writer->begin_family(1));
    ASSERT_OK(writer->put("a", 2, "2"));
    ASSERT_OK(writer->begin_family(2));
    ASSERT_OK(writer->put("a", 2, "2"));

    ASSERT_OK(store->drop_family(1));
    ASSERT_OK(store->drop_family(1));
    ASSERT_OK(store->drop_family(99));
    ASSERT_OK(writer->commit({2, ""}));
    EXPECT_EQ(store->families(), std::vector<std::uint32_t>{2});
    EXPECT_EQ(get(*view, 1, "b"), "1");
    cursor->seek_to_last();
    ASSERT_TRUE(cursor->valid());
    EXPECT_EQ(cursor->key(), "b");
    EXPECT_FALSE(store->view()->has_data(1));
    EXPECT_EQ(get(*store->view(), 2, "a"), "2");
  }
  const auto store = open_store(directory.db());
  EXPECT_EQ(store->families(), std::vector<std::uint32_t>{2});
}

TEST(Store, views_and_iterators_keep_a_destroyed_store_open) {
  Directory directory;
  auto store = open_store(directory.db());
  ASSERT_OK(flush(*store, {{1, {{"a", "1"}}}}, 1));
  auto view = store->view();
  auto cursor = view->iterate(1, nullptr, nullptr);
  store.reset();
  EXPECT_EQ(get(*view, 1, "a"), "1");
  view.reset();
  cursor->seek_to_first();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->value(), "1");
  std::unique_ptr<Store> second;
  EXPECT_FALSE(Store::open(StoreOptions{}, directory.db(), &second).is_ok());
  EXPECT_EQ(second, nullptr);
  cursor.reset();
  EXPECT_NE(open_store(directory.db()), nullptr);
}

TEST(Store, a_file_in_place_of_the_directory_is_a_status) {
  Directory directory;
  write_file(directory.db(), "not a directory");
  std::unique_ptr<Store> store;
  const Status status = Store::open(StoreOptions{}, directory.db(), &store);
  EXPECT_FALSE(status.is_ok());
  EXPECT_NE(status.message().find(directory.db()), std::string_view::npos) << status.message();
}

TEST(Store, files_left_by_a_crash_do_not_hurt) {
  Directory directory;
  { ASSERT_OK(flush(*open_store(directory.db()), {{1, {{"a", "1"}}}}, 1)); }
  write_file(directory.db() + "/staging/1.sst", "half a table");
  write_file(directory.db() + "/000099.sst", "linked, never committed");
  const auto store = open_store(directory.db());
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(fs::is_empty(directory.db() + "/staging"));
  ASSERT_OK(flush(*store, {{1, {{"b", "2"}}}}, 2));
  EXPECT_EQ(keys_forward(*store->view(), 1), (std::vector<std::string>{"a", "b"}));
}

TEST(Store, a_lost_current_is_corruption_and_not_a_new_store) {
  Directory directory;
  { ASSERT_OK(flush(*open_store(directory.db()), {{1, {{"a", "1"}}}}, 1)); }
  fs::remove(directory.db() + "/CURRENT");
  std::unique_ptr<Store> store;
  EXPECT_TRUE(Store::open(StoreOptions{}, directory.db(), &store).is_corruption());
}

// Opens and reads everything; false if any step gave an error.
bool opens_and_reads(const std::string& directory, const Entries& expected) {
  std::unique_ptr<Store> store;
  if (!Store::open(StoreOptions{}, directory, &store).is_ok()) return false;
  const auto cursor = store->view()->iterate(1, nullptr, nullptr);
  if (cursor == nullptr) return false;
  auto next = expected.begin();
  for (cursor->seek_to_first(); cursor->valid(); cursor->next(), ++next) {
    EXPECT_NE(next, expected.end());
    EXPECT_EQ(cursor->key(), next->first);
    EXPECT_EQ(cursor->value(), *next->second);
  }
  if (!cursor->status().is_ok()) return false;
  EXPECT_EQ(next, expected.end());
  return true;
}

TEST(Store, damaged_files_give_a_status_or_the_right_data) {
  Directory directory;
  Entries entries;
  for (int i = 0; i < 200; ++i)
    entries["key" + std::to_string(1000 + i)] = std::string(40, static_cast<char>('a' + i % 26));
  { ASSERT_OK(flush(*open_store(directory.db()), {{1, entries}}, 1)); }
  const std::string copy = directory.path() + "/copy";
  std::mt19937 random(1);
  int refused = 0;
  std::vector<fs::path> victims = files_with_suffix(directory.db(), ".sst");
  for (const char* prefix : {"CURRENT", "MANIFEST"}) {
    for (const fs::path& path : files_with_prefix(directory.db(), prefix)) victims.push_back(path);
  }
  ASSERT_EQ(victims.size(), 4u);
  for (const fs::path& victim : victims) {
    const std::string good = read_file(victim);
    for (int round = 0; round < 6; ++round) {
      fs::remove_all(copy);
      fs::copy(directory.db(), copy, fs::copy_options::recursive);
      std::string bad = good;
      const std::size_t at = random() % bad.size();
      bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
      write_file(fs::path(copy) / victim.filename(), bad);
      if (!opens_and_reads(copy, entries)) ++refused;
    }
  }
  EXPECT_GT(refused, 6);
}

TEST(StoreValue, header_round_trips_and_refuses_what_it_does_not_know) {
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{300}, ~std::uint64_t{0}}) {
    std::string stored;
    append_value_header(&stored, sequence);
    stored += "value";
    std::string_view rest = stored;
    std::uint64_t found = 0;
    ASSERT_TRUE(take_value_header(&rest, &found));
    EXPECT_EQ(found, sequence);
    EXPECT_EQ(rest, "value");
  }
  std::uint64_t found = 0;
  std::string_view expiring("\x01\x05\x80\x01v", 5);
  ASSERT_TRUE(take_value_header(&expiring, &found));
  EXPECT_EQ(found, 5u);
  EXPECT_EQ(expiring, "v");
  for (const std::string_view bad : {std::string_view(""), std::string_view("\0", 1), std::string_view("\x02\x01v", 3),
                                     std::string_view("\0\x80", 2), std::string_view("\x01\x05", 2),
                                     std::string_view("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11)}) {
    std::string_view rest = bad;
    EXPECT_FALSE(take_value_header(&rest, &found));
  }
}

TEST(Store, views_taken_during_flushes_see_each_flush_whole) {
  Directory directory;
  const auto store = open_store(directory.db());
  ASSERT_OK(flush(*store, {{1, {{"number", "1"}}}, {2, {{"number", "1"}}}}, 1));
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::atomic<int> views{0};
  std::thread reader([&] {
    do {
      const auto view = store->view();
      const std::string first = get(*view, 1, "number");
      if (get(*view, 2, "number") != first || get(*view, 1, "number") != first) ++torn;
      ++views;
    } while (!done);
  });
  for (std::uint64_t i = 2; i <= 40; ++i) {
    const std::string text = std::to_string(i);
    EXPECT_TRUE(flush(*store, {{1, {{"number", text}}}, {2, {{"number", text}}}}, i).is_ok());
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_GT(views, 0);
  EXPECT_EQ(get(*store->view(), 1, "number"), "40");
}

// One generation of the crash test: the same number in the metadata and in every family, and in family 3 an entry
// that only this generation has.
Status flush_generation(Store& store, std::uint64_t number) {
  const std::string text = std::to_string(number);
  std::map<std::uint32_t, Entries> families;
  for (std::uint32_t family = 1; family <= 3; ++family) families[family]["number"] = text;
  families[3]["only " + text] = text;
  if (number > 1) families[3]["only " + std::to_string(number - 1)] = std::nullopt;
  return flush(store, families, number, text);
}

constexpr const char* kChildCommand = "--flush-until-killed";

// The child's main, below. It acknowledges each generation on its standard output.
int flush_until_killed(const std::string& directory) {
  std::unique_ptr<Store> store;
  if (!Store::open(StoreOptions{}, directory, &store).is_ok()) return 1;
  for (std::uint64_t number = store->metadata().flushed_to + 1;; ++number) {
    if (!flush_generation(*store, number).is_ok()) return 2;
    if (write(STDOUT_FILENO, &number, sizeof number) != sizeof number) return 3;
  }
}

TEST(Store, a_flush_is_there_whole_or_not_at_all_after_a_kill) {
  Directory directory;
  std::mt19937 random(std::random_device{}());
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 10; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // A new program: RocksDB's background threads, which this process may have, do not survive a fork.
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execl("/proc/self/exe", "store_test", kChildCommand, directory.db().c_str(), nullptr);
      _exit(4);
    }
    close(ends[1]);
    // Some generations through, then into the midst of one.
    const std::uint64_t enough = random() % 4;
    for (std::uint64_t i = 0; i <= enough; ++i) {
      ASSERT_EQ(read(ends[0], &acknowledged, sizeof acknowledged), static_cast<ssize_t>(sizeof acknowledged));
    }
    usleep(random() % 20000);
    kill(child, SIGKILL);
    std::uint64_t more = 0;
    while (read(ends[0], &more, sizeof more) == static_cast<ssize_t>(sizeof more)) acknowledged = more;
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    const auto store = open_store(directory.db());
    ASSERT_NE(store, nullptr);
    const StoreMetadata metadata = store->metadata();
    EXPECT_GE(metadata.flushed_to, acknowledged);
    EXPECT_LE(metadata.flushed_to, acknowledged + 1);
    const std::string number = std::to_string(metadata.flushed_to);
    EXPECT_EQ(metadata.catalogue, number);
    const auto view = store->view();
    for (std::uint32_t family = 1; family <= 3; ++family) EXPECT_EQ(get(*view, family, "number"), number);
    EXPECT_EQ(keys_forward(*view, 3), (std::vector<std::string>{"number", "only " + number}));
    acknowledged = metadata.flushed_to;
  }
}

}  // namespace
}  // namespace scree::detail

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == scree::detail::kChildCommand) {
    return scree::detail::flush_until_killed(argv[2]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
