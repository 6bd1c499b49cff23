// SPDX-License-Identifier: Apache-2.0
//
// The store on a file system of a few MiB: a tmpfs that a child program mounts in a mount namespace of its own. Where
// the kernel allows no such namespace the test is skipped.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store.h"

namespace scree::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kChildCommand = "--on-a-small-disk";
constexpr int kNoNamespace = 77;

bool mount_small_disk(const std::string& directory) {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=6m") == 0;
}

int failures = 0;

void expect(bool condition, const char* what, const Status& status) {
  if (condition) return;
  ++failures;
  std::fprintf(stderr, "expected: %s; status: %s\n", what, std::string(status.message()).c_str());
}

// Puts `count` values of 1 KiB that do not compress into family 1 and a small one into `other`, then commits.
Status flush(Store& store, std::uint64_t flushed_to, int count, std::uint32_t other = 2) {
  std::unique_ptr<FlushWriter> writer;
  Status status = store.new_flush(&writer);
  std::mt19937 random(1);
  if (status.is_ok()) status = writer->begin_family(1);
  for (int i = 0; i < count && status.is_ok(); ++i) {
    std::string value(1024, '\0');
    for (char& byte : value) byte = static_cast<char>(random());
    status = writer->put(std::to_string(1000000 + i), flushed_to, value);
  }
  if (status.is_ok()) status = writer->begin_family(other);
  if (status.is_ok()) status = writer->put("key", flushed_to, "value");
  return status.is_ok() ? writer->commit({flushed_to, ""}) : status;
}

void expect_state(const Store& store, std::uint64_t flushed_to) {
  expect(store.metadata().flushed_to == flushed_to, "the metadata of the last good flush", {});
  std::string value;
  std::uint64_t sequence = 0;
  const Status status = store.view()->get(1, "1000000", &value, &sequence);
  expect(status.is_ok() && sequence == flushed_to, "the data of the last good flush", status);
}

// Takes all the room there is but `left` bytes.
void fill_disk(const fs::path& directory, std::uintmax_t left) {
  std::ofstream ballast(directory / "ballast", std::ios::binary);
  for (std::uintmax_t room = fs::space(directory).available; room > left && ballast; room -= 4096) {
    ballast << std::string(4096, 'x') << std::flush;
  }
}

// The child's main, below.
int run_on_small_disk(const std::string& directory) {
  if (!mount_small_disk(directory)) return kNoNamespace;
  const std::string db = directory + "/db";
  std::unique_ptr<Store> store;
  Status status = Store::open(StoreOptions{}, db, &store);
  expect(status.is_ok(), "an open store", status);
  if (!status.is_ok()) return 1;
  status = flush(*store, 1, 100);
  expect(status.is_ok(), "a first flush", status);

  status = flush(*store, 2, 10000);
  expect(status.is_no_space(), "NoSpace from a flush larger than the disk", status);
  expect(fs::is_empty(db + "/staging"), "no staged files", status);
  expect_state(*store, 1);

  // From no room at all, where the first byte of a table fails, to room for everything; each time a new family has to
  // be created too.
  std::uint64_t number = 1;
  std::uint32_t family = 2;
  for (std::uintmax_t left = 0; left <= (64u << 10); left += 4096) {
    fill_disk(directory, left);
    status = flush(*store, number + 1, 10, ++family);
    expect(status.is_ok() || status.is_no_space(), "NoSpace or success on a full disk", status);
    if (status.is_ok()) ++number;
    expect_state(*store, number);
    fs::remove(directory + "/ballast");
    status = flush(*store, ++number, 10, family);
    expect(status.is_ok(), "a flush once there is room again", status);
    expect_state(*store, number);
  }

  store.reset();
  fill_disk(directory, 0);
  status = Store::open(StoreOptions{}, db, &store);
  expect(status.is_ok() || status.is_no_space(), "NoSpace or success from open on a full disk", status);
  store.reset();
  fs::remove(directory + "/ballast");
  status = Store::open(StoreOptions{}, db, &store);
  expect(status.is_ok(), "an open store once there is room again", status);
  if (status.is_ok()) expect_state(*store, number);
  return failures == 0 ? 0 : 1;
}

TEST(Store, a_full_disk_is_no_space_and_ends_when_there_is_room) {
  std::string directory = (fs::temp_directory_path() / "scree-full-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    execl("/proc/self/exe", "store_full_disk_test", kChildCommand, directory.c_str(), nullptr);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  fs::remove_all(directory);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoNamespace) GTEST_SKIP() << "no mount namespace to be had here";
  ASSERT_TRUE(WIFEXITED(status)) << "the child was killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace scree::detail

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == scree::detail::kChildCommand) {
    return scree::detail::run_on_small_disk(argv[2]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
