// SPDX-License-Identifier: Apache-2.0
//
// A disk that fills up: a tmpfs of a few MiB that a child program of the test mounts in a mount namespace of its own.
// Where the kernel allows no such namespace the test is skipped.

#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace scree::test {

namespace detail {

inline constexpr const char* kSmallDiskCommand = "--on-a-small-disk";
inline constexpr int kNoNamespace = 77;

inline bool mount_small_disk(const char* directory, const char* size) {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("tmpfs", directory, "tmpfs", 0, size) == 0;
}

}  // namespace detail

// The main of a program whose tests call check_on_small_disk: in the child it mounts the disk ("size=8m") and returns what
// `child(directory)` does, 0 if all was well. The child cannot use GoogleTest's assertions.
inline int small_disk_main(int argc, char** argv, const char* size, int (*child)(const std::string& directory)) {
  if (argc == 3 && std::string_view(argv[1]) == detail::kSmallDiskCommand) {
    return detail::mount_small_disk(argv[2], size) ? child(argv[2]) : detail::kNoNamespace;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// The body of a test: starts this program again as the child.
inline void check_on_small_disk() {
  const TemporaryDirectory directory;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    execl("/proc/self/exe", "on_small_disk", detail::kSmallDiskCommand, directory.path().c_str(), nullptr);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == detail::kNoNamespace) {
    GTEST_SKIP() << "no mount namespace to be had here";
  }
  ASSERT_TRUE(WIFEXITED(status)) << "the child was killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Takes all the room there is but `left` bytes.
inline void fill_disk(const std::filesystem::path& directory, std::uintmax_t left) {
  std::ofstream ballast(directory / "ballast", std::ios::binary);
  for (std::uintmax_t room = std::filesystem::space(directory).available; room > left && ballast; room -= 4096) {
    ballast << std::string(4096, 'x') << std::flush;
  }
}
// Gives it back.
inline void empty_disk(const std::filesystem::path& directory) { std::filesystem::remove(directory / "ballast"); }

}  // namespace scree::test
