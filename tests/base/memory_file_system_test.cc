// SPDX-License-Identifier: Apache-2.0

#include <scree/memory_file_system.h>

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace scree {
namespace {

using Unsynced = CrashPolicy::Unsynced;

std::unique_ptr<File> open(FileSystem& file_system, const std::string& path, OpenMode mode = OpenMode::kCreate) {
  std::unique_ptr<File> file;
  const Status status = file_system.open(path, mode, &file);
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  return file;
}

std::string content(FileSystem& file_system, const std::string& path) {
  std::string bytes;
  const Status status = read_file(&file_system, path, 1 << 20, &bytes);
  return status.is_ok() ? bytes : "missing";
}

TEST(MemoryFileSystem, a_crash_drops_bytes_and_size_since_the_last_sync) {
  MemoryFileSystem file_system;
  auto file = open(file_system, "/a");
  ASSERT_TRUE(file->append("kept").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  ASSERT_TRUE(file_system.sync_directory("/").is_ok());
  ASSERT_TRUE(file->append("lost").is_ok());
  ASSERT_TRUE(file->write_at(0, "K").is_ok());
  EXPECT_EQ(content(*file_system.crash({Unsynced::kDropped}), "/a"), "kept");
  EXPECT_EQ(content(*file_system.crash({Unsynced::kKept}), "/a"), "Keptlost");
  EXPECT_EQ(content(file_system, "/a"), "Keptlost") << "the machine that did not crash goes on";
}

TEST(MemoryFileSystem, a_crash_drops_names_since_the_last_sync_of_their_directory) {
  MemoryFileSystem file_system;
  ASSERT_TRUE(open(file_system, "/a")->sync().is_ok());
  EXPECT_EQ(content(*file_system.crash({}), "/a"), "missing") << "syncing a file does not make its name durable";
  ASSERT_TRUE(file_system.sync_directory("/").is_ok());
  EXPECT_EQ(content(*file_system.crash({}), "/a"), "");
  ASSERT_TRUE(file_system.rename("/a", "/b").is_ok());
  ASSERT_TRUE(file_system.create_directory("/d").is_ok());
  const auto after = file_system.crash({});
  EXPECT_EQ(content(*after, "/a"), "");
  EXPECT_EQ(content(*after, "/b"), "missing");
  PathKind kind{};
  ASSERT_TRUE(after->kind("/d", &kind).is_ok());
  EXPECT_EQ(kind, PathKind::kMissing);
}

TEST(MemoryFileSystem, an_arbitrary_crash_tears_at_sectors_and_reorders) {
  constexpr std::size_t kSector = MemoryFileSystem::kSectorBytes;
  MemoryFileSystem file_system;
  auto file = open(file_system, "/a");
  ASSERT_TRUE(file->append(std::string(3 * kSector, '0')).is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  ASSERT_TRUE(file_system.sync_directory("/").is_ok());
  ASSERT_TRUE(file->write_at(0, std::string(3 * kSector, '1')).is_ok());
  ASSERT_TRUE(file->write_at(0, std::string(3 * kSector, '2')).is_ok());
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 10000; ++seed) {
    const std::string bytes = content(*file_system.crash({Unsynced::kArbitrary, seed}), "/a");
    ASSERT_EQ(bytes.size(), 3 * kSector);
    std::string sectors;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string sector = bytes.substr(i * kSector, kSector);
      ASSERT_EQ(sector, std::string(kSector, sector[0])) << "a sector is old or new, never mixed";
      sectors += sector[0];
    }
    outcomes.insert(sectors);
  }
  EXPECT_EQ(outcomes.size(), 27u) << "every combination is possible";
}

TEST(MemoryFileSystem, an_arbitrary_crash_keeps_any_subset_of_new_names) {
  MemoryFileSystem file_system;
  ASSERT_TRUE(open(file_system, "/a") && open(file_system, "/b"));
  std::set<std::vector<std::string>> outcomes;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::vector<std::string> names;
    ASSERT_TRUE(file_system.crash({Unsynced::kArbitrary, seed})->list("/", &names).is_ok());
    outcomes.insert(names);
  }
  EXPECT_EQ(outcomes.size(), 4u);
}

TEST(MemoryFileSystem, an_arbitrary_crash_may_keep_the_old_size) {
  MemoryFileSystem file_system;
  auto file = open(file_system, "/a");
  ASSERT_TRUE(file_system.sync_directory("/").is_ok());
  ASSERT_TRUE(file->preallocate(1000).is_ok());
  ASSERT_TRUE(file->write_at(0, "x").is_ok());
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    sizes.insert(content(*file_system.crash({Unsynced::kArbitrary, seed}), "/a").size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{0, 1000}));
}

TEST(MemoryFileSystem, stores_through_a_mapping_are_lost_until_synced) {
  MemoryFileSystem file_system;
  auto file = open(file_system, "/a");
  ASSERT_TRUE(file_system.sync_directory("/").is_ok());
  ASSERT_TRUE(file->preallocate(4).is_ok());
  MappedRegion region;
  ASSERT_TRUE(file->map(0, 4, MapAccess::kReadWrite, &region).is_ok());
  EXPECT_EQ(file->truncate(8).code(), StatusCode::kNotSupported);
  ASSERT_TRUE(file->sync().is_ok());
  std::copy_n("data", 4, region.data());
  EXPECT_EQ(content(*file_system.crash({}), "/a"), std::string(4, '\0'));
  EXPECT_EQ(content(*file_system.crash({Unsynced::kKept}), "/a"), "data");
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(content(*file_system.crash({}), "/a"), "data");
}

TEST(MemoryFileSystem, hard_links_stay_links_across_a_crash_and_locks_do_not) {
  MemoryFileSystem file_system;
  ASSERT_TRUE(open(file_system, "/a") != nullptr);
  ASSERT_TRUE(file_system.link("/a", "/b").is_ok());
  std::unique_ptr<FileLock> lock;
  ASSERT_TRUE(file_system.lock("/LOCK", &lock).is_ok());
  const auto after = file_system.crash({Unsynced::kKept});
  ASSERT_TRUE(open(*after, "/a")->append("x").is_ok());
  EXPECT_EQ(content(*after, "/b"), "x");
  std::unique_ptr<FileLock> again;
  EXPECT_TRUE(after->lock("/LOCK", &again).is_ok());
}

TEST(MemoryFileSystem, operations_fail_as_told_and_a_failed_write_is_torn) {
  MemoryFileSystem file_system;
  auto file = open(file_system, "/a");
  EXPECT_EQ(file_system.operations(), 1u);
  file_system.set_interceptor(fail_operation(2, Status::io_error("broken")));
  EXPECT_TRUE(file->append("abcd").is_io_error());
  EXPECT_TRUE(file->append("ef").is_ok());
  EXPECT_EQ(content(file_system, "/a"), "abef");
  file_system.set_interceptor(fail_from_operation(file_system.operations() + 1, Status::no_space("full")));
  EXPECT_TRUE(file->sync().is_no_space());
  EXPECT_TRUE(file_system.unlink("/a").is_no_space());
  file_system.set_interceptor({});
  EXPECT_TRUE(file_system.unlink("/a").is_ok());
}

TEST(MemoryFileSystem, space_is_finite_if_so_wished) {
  MemoryFileSystem file_system;
  file_system.set_space(100);
  auto file = open(file_system, "/a");
  EXPECT_TRUE(file->preallocate(80).is_ok());
  EXPECT_TRUE(open(file_system, "/b")->append(std::string(21, 'x')).is_no_space());
  ASSERT_TRUE(file_system.unlink("/a").is_ok());
  EXPECT_TRUE(open(file_system, "/b")->append(std::string(21, 'x')).is_no_space()) << "still open";
  file.reset();
  EXPECT_TRUE(open(file_system, "/b")->append(std::string(21, 'x')).is_ok());
}

}  // namespace
}  // namespace scree
