// SPDX-License-Identifier: Apache-2.0
//
// What container_bench says of memory whose size is known.

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "memory_use.h"

namespace scree::bench {
namespace {

constexpr std::size_t kMegabyte = 1u << 20;

// Pages of its own, all written.
class Pages {
 public:
  explicit Pages(std::size_t bytes)
      : bytes_(bytes), memory_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    write();
  }
  ~Pages() { munmap(memory_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void write() { std::memset(memory_, 1, bytes_); }

 private:
  const std::size_t bytes_;
  void* const memory_;
};

TEST(MemoryUse, is_what_each_step_leaves) {
  std::unique_ptr<Pages> mapped;
  std::vector<std::string> allocated;
  std::vector<double> bytes;
  const Status status = memory_after({[&] {
                                        mapped = std::make_unique<Pages>(8 * kMegabyte);
                                        return Status::ok();
                                      },
                                      [&] {
                                        allocated.assign(8 * kMegabyte / 1024, std::string(1000, 'x'));
                                        return Status::ok();
                                      },
                                      [&] {
                                        mapped.reset();
                                        return Status::ok();
                                      },
                                      [&] {
                                        allocated.clear();
                                        allocated.shrink_to_fit();
                                        return Status::ok();
                                      }},
                                     &bytes);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  ASSERT_EQ(bytes.size(), 4u);
  EXPECT_NEAR(bytes[0] / kMegabyte, 8, 0.5);
  EXPECT_NEAR(bytes[1] / kMegabyte, 16.3, 0.7);
  EXPECT_NEAR(bytes[2] / kMegabyte, 8.3, 0.7);
  EXPECT_NEAR(bytes[3] / kMegabyte, 0, 0.5) << "malloc's free memory does not count";
  EXPECT_EQ(mapped, nullptr) << "it is another process";
}

TEST(MemoryUse, counts_what_the_child_was_left_only_where_it_is_used) {
  Pages pages(8 * kMegabyte);
  std::vector<double> bytes;
  const Status status = memory_after({[] { return Status::ok(); },
                                      [&] {
                                        pages.write();
                                        return Status::ok();
                                      }},
                                     &bytes);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_NEAR(bytes.at(0) / kMegabyte, 0, 0.5);
  EXPECT_NEAR(bytes.at(1) / kMegabyte, 8, 0.5);
}

TEST(MemoryUse, a_step_that_fails_or_dies_is_told) {
  std::vector<double> bytes;
  const Status failed = memory_after({[] { return Status::corruption("garbage stayed"); }}, &bytes);
  EXPECT_NE(failed.to_string().find("garbage stayed"), std::string::npos) << failed.to_string();
  EXPECT_FALSE(memory_after({[]() -> Status { _exit(0); }}, &bytes).is_ok());
}

}  // namespace
}  // namespace scree::bench
