// SPDX-License-Identifier: Apache-2.0
//
// What every FileSystem promises, checked on the real one and on the one in memory, and the two against each other.

#include <scree/file.h>
#include <scree/memory_file_system.h>

#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/temporary_directory.h"

namespace scree {
namespace {

using test::TemporaryDirectory;

class FileSystemTest : public ::testing::TestWithParam<bool> {
 protected:
  FileSystemTest() {
    if (GetParam()) {
      file_system_ = posix_file_system();
      root_ = real_.path();
    } else {
      file_system_ = &memory_;
      root_ = "/root";
      EXPECT_TRUE(memory_.create_directory(root_).is_ok());
    }
  }

  std::string path(const std::string& name) const { return root_ + "/" + name; }

  std::unique_ptr<File> open(const std::string& name, OpenMode mode) {
    std::unique_ptr<File> file;
    const Status status = file_system_->open(path(name), mode, &file);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return file;
  }

  std::string content(const std::string& name) {
    std::string bytes;
    const Status status = read_file(file_system_, path(name), 1 << 20, &bytes);
    return status.is_ok() ? bytes : status.to_string();
  }

  PathKind kind(const std::string& name) {
    PathKind kind{};
    EXPECT_TRUE(file_system_->kind(path(name), &kind).is_ok());
    return kind;
  }

  TemporaryDirectory real_;
  MemoryFileSystem memory_;
  FileSystem* file_system_ = nullptr;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Implementations, FileSystemTest, ::testing::Values(true, false),
                         [](const auto& instance) { return instance.param ? "posix" : "memory"; });

TEST_P(FileSystemTest, reads_what_was_written_and_says_where_the_file_ends) {
  auto file = open("a", OpenMode::kCreate);
  ASSERT_TRUE(file->append("hello ").is_ok());
  ASSERT_TRUE(file->append("world").is_ok());
  ASSERT_TRUE(file->write_at(0, "J").is_ok());
  ASSERT_TRUE(file->write_at(13, "!").is_ok());
  std::string out(100, '?');
  std::size_t count = 0;
  ASSERT_TRUE(file->read_at(6, out, &count).is_ok());
  EXPECT_EQ(out.substr(0, count), std::string("world\0\0!", 8));
  ASSERT_TRUE(file->read_at(14, out, &count).is_ok());
  EXPECT_EQ(count, 0u);
  ASSERT_TRUE(file->read_at(1000, out, &count).is_ok());
  EXPECT_EQ(count, 0u);
  std::uint64_t size = 0;
  ASSERT_TRUE(file->size(&size).is_ok());
  EXPECT_EQ(size, 14u);
  EXPECT_EQ(content("a").substr(0, 6), "Jello ");
}

TEST_P(FileSystemTest, open_modes_mean_what_they_say) {
  std::unique_ptr<File> file;
  Status status = file_system_->open(path("a"), OpenMode::kRead, &file);
  EXPECT_TRUE(status.is_not_found());
  EXPECT_NE(status.message().find(path("a")), std::string_view::npos);
  EXPECT_TRUE(file_system_->open(path("a"), OpenMode::kReadWrite, &file).is_not_found());
  ASSERT_TRUE(open("a", OpenMode::kCreateExclusive)->append("x").is_ok());
  EXPECT_TRUE(file_system_->open(path("a"), OpenMode::kCreateExclusive, &file).is_io_error());
  ASSERT_TRUE(open("a", OpenMode::kCreate)->append("y").is_ok());
  EXPECT_EQ(content("a"), "xy");
  EXPECT_TRUE(open("a", OpenMode::kRead)->append("z").is_io_error());
  EXPECT_TRUE(file_system_->open(path("none/a"), OpenMode::kCreate, &file).is_not_found());
  EXPECT_TRUE(file_system_->open(root_, OpenMode::kRead, &file).is_io_error());
}

TEST_P(FileSystemTest, preallocated_space_reads_as_zeros_and_keeps_what_was_there) {
  auto file = open("a", OpenMode::kCreate);
  ASSERT_TRUE(file->append("data").is_ok());
  ASSERT_TRUE(file->preallocate(100).is_ok());
  ASSERT_TRUE(file->preallocate(50).is_ok());
  EXPECT_EQ(content("a"), "data" + std::string(96, '\0'));
  ASSERT_TRUE(file->truncate(2).is_ok());
  ASSERT_TRUE(file->truncate(5).is_ok());
  EXPECT_EQ(content("a"), std::string("da\0\0\0", 5));
}

TEST_P(FileSystemTest, a_mapping_shows_the_file_and_outlives_it) {
  MappedRegion region;
  {
    auto file = open("a", OpenMode::kCreate);
    ASSERT_TRUE(file->preallocate(8192).is_ok());
    EXPECT_TRUE(file->map(0, 8193, MapAccess::kRead, &region).code() == StatusCode::kInvalidArgument);
    ASSERT_TRUE(file->map(0, 8192, MapAccess::kReadWrite, &region).is_ok());
  }
  region.data()[5000] = 'x';
  EXPECT_EQ(content("a")[5000], 'x');
  MappedRegion moved = std::move(region);
  EXPECT_EQ(moved.view()[5000], 'x');
  EXPECT_EQ(region.size(), 0u);
}

TEST_P(FileSystemTest, names_follow_rename_link_and_unlink) {
  ASSERT_TRUE(open("a", OpenMode::kCreate)->append("1").is_ok());
  ASSERT_TRUE(open("b", OpenMode::kCreate)->append("2").is_ok());
  ASSERT_TRUE(file_system_->link(path("a"), path("c")).is_ok());
  EXPECT_TRUE(file_system_->link(path("a"), path("b")).is_io_error());
  ASSERT_TRUE(file_system_->rename(path("a"), path("b")).is_ok());
  EXPECT_EQ(content("b"), "1");
  ASSERT_TRUE(open("c", OpenMode::kReadWrite)->append("+").is_ok());
  EXPECT_EQ(content("b"), "1+");
  ASSERT_TRUE(file_system_->unlink(path("b")).is_ok());
  EXPECT_TRUE(file_system_->unlink(path("b")).is_not_found());
  EXPECT_EQ(kind("b"), PathKind::kMissing);
  EXPECT_EQ(kind("c"), PathKind::kFile);
  EXPECT_EQ(content("c"), "1+");
}

TEST_P(FileSystemTest, an_unlinked_file_stays_usable_while_open) {
  auto file = open("a", OpenMode::kCreate);
  ASSERT_TRUE(file_system_->unlink(path("a")).is_ok());
  EXPECT_TRUE(file->append("x").is_ok());
  EXPECT_TRUE(file->sync().is_ok());
}

TEST_P(FileSystemTest, directories_are_made_listed_synced_and_removed) {
  ASSERT_TRUE(file_system_->create_directory(path("d")).is_ok());
  ASSERT_TRUE(file_system_->create_directory(path("d")).is_ok());
  ASSERT_TRUE(open("d/z", OpenMode::kCreate) != nullptr);
  ASSERT_TRUE(open("d/a", OpenMode::kCreate) != nullptr);
  EXPECT_TRUE(file_system_->create_directory(path("d/a")).is_io_error());
  EXPECT_TRUE(file_system_->create_directory(path("none/d")).is_not_found());
  std::vector<std::string> names;
  ASSERT_TRUE(file_system_->list(path("d"), &names).is_ok());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "z"}));
  EXPECT_TRUE(file_system_->list(path("none"), &names).is_not_found());
  EXPECT_TRUE(file_system_->list(path("d/a"), &names).is_io_error());
  EXPECT_TRUE(file_system_->sync_directory(path("d")).is_ok());
  EXPECT_TRUE(file_system_->sync_directory(path("none")).is_not_found());
  EXPECT_TRUE(file_system_->remove_directory(path("d")).is_io_error());
  ASSERT_TRUE(file_system_->unlink(path("d/a")).is_ok());
  ASSERT_TRUE(file_system_->unlink(path("d/z")).is_ok());
  EXPECT_TRUE(file_system_->remove_directory(path("d")).is_ok());
  EXPECT_EQ(kind("d"), PathKind::kMissing);
}

TEST_P(FileSystemTest, a_lock_excludes_the_next_one_and_names_the_path) {
  std::unique_ptr<FileLock> first;
  std::unique_ptr<FileLock> second;
  ASSERT_TRUE(file_system_->lock(path("LOCK"), &first).is_ok());
  const Status status = file_system_->lock(path("LOCK"), &second);
  EXPECT_TRUE(status.is_busy());
  EXPECT_NE(status.message().find(path("LOCK")), std::string_view::npos);
  first.reset();
  EXPECT_TRUE(file_system_->lock(path("LOCK"), &second).is_ok());
}

TEST_P(FileSystemTest, replacing_a_file_leaves_the_new_content_and_nothing_else) {
  ASSERT_TRUE(replace_file(file_system_, path("a"), "one").is_ok());
  ASSERT_TRUE(replace_file(file_system_, path("a"), "two").is_ok());
  EXPECT_EQ(content("a"), "two");
  std::vector<std::string> names;
  ASSERT_TRUE(file_system_->list(root_, &names).is_ok());
  EXPECT_EQ(names, (std::vector<std::string>{"a"}));
  std::string bytes;
  EXPECT_EQ(read_file(file_system_, path("a"), 2, &bytes).code(), StatusCode::kInvalidArgument);
}

// One generated operation, applied to a file system; what came of it, as text.
struct Step {
  int operation;
  int file;
  int other;
  std::uint64_t offset;
  std::string data;
};

std::string apply(FileSystem* file_system, const std::string& root, const Step& step) {
  const std::string path = root + "/" + std::to_string(step.file);
  const std::string other = root + "/" + std::to_string(step.other);
  const auto outcome = [](const Status& status) { return std::to_string(static_cast<int>(status.code())); };
  std::unique_ptr<File> file;
  switch (step.operation) {
    case 0:
      return outcome(file_system->open(path, OpenMode::kCreateExclusive, &file));
    case 1:
      return outcome(file_system->rename(path, other));
    case 2:
      return outcome(file_system->unlink(path));
    case 3:
      return outcome(file_system->link(path, other));
    case 4: {
      std::vector<std::string> names;
      std::ostringstream text;
      text << outcome(file_system->list(root, &names));
      for (const std::string& name : names) text << ' ' << name;
      return text.str();
    }
    default:
      break;
  }
  const Status opened =
      file_system->open(path, step.operation % 2 == 0 ? OpenMode::kCreate : OpenMode::kReadWrite, &file);
  if (!opened.is_ok()) return outcome(opened);
  std::uint64_t size = 0;
  switch (step.operation) {
    case 5:
      return outcome(file->append(step.data));
    case 6:
      return outcome(file->write_at(step.offset, step.data));
    case 7:
      return outcome(file->truncate(step.offset));
    case 8:
      return outcome(file->preallocate(step.offset));
    case 9: {
      std::string out(step.data.size() + 5, '?');
      std::size_t count = 0;
      const Status status = file->read_at(step.offset, out, &count);
      return outcome(status) + out.substr(0, count);
    }
    default:
      return outcome(file->size(&size)) + std::to_string(size);
  }
}

RC_GTEST_PROP(FileSystems, memory_does_what_the_real_one_does, ()) {
  const TemporaryDirectory real;
  MemoryFileSystem memory;
  RC_ASSERT(memory.create_directory("/root").is_ok());
  const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
      rc::gen::set(&Step::operation, rc::gen::inRange(0, 11)), rc::gen::set(&Step::file, rc::gen::inRange(0, 3)),
      rc::gen::set(&Step::other, rc::gen::inRange(0, 3)),
      rc::gen::set(&Step::offset, rc::gen::inRange<std::uint64_t>(0, 2000)), rc::gen::set(&Step::data)));
  for (const Step& step : steps) {
    RC_ASSERT(apply(posix_file_system(), real.path(), step) == apply(&memory, "/root", step));
  }
}

}  // namespace
}  // namespace scree
