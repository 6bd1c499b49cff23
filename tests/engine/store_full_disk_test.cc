// SPDX-License-Identifier: Apache-2.0
//
// The store on a disk that fills up while it flushes and opens.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "store.h"
#include "support/small_disk.h"

namespace scree::detail {
namespace {

namespace fs = std::filesystem;

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

// The child's life.
int run_on_small_disk(const std::string& directory) {
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
    test::fill_disk(directory, left);
    status = flush(*store, number + 1, 10, ++family);
    expect(status.is_ok() || status.is_no_space(), "NoSpace or success on a full disk", status);
    if (status.is_ok()) ++number;
    expect_state(*store, number);
    test::empty_disk(directory);
    status = flush(*store, ++number, 10, family);
    expect(status.is_ok(), "a flush once there is room again", status);
    expect_state(*store, number);
  }

  store.reset();
  test::fill_disk(directory, 0);
  status = Store::open(StoreOptions{}, db, &store);
  expect(status.is_ok() || status.is_no_space(), "NoSpace or success from open on a full disk", status);
  store.reset();
  test::empty_disk(directory);
  status = Store::open(StoreOptions{}, db, &store);
  expect(status.is_ok(), "an open store once there is room again", status);
  if (status.is_ok()) expect_state(*store, number);
  return failures == 0 ? 0 : 1;
}

TEST(Store, a_full_disk_is_no_space_and_ends_when_there_is_room) { test::check_on_small_disk(); }

}  // namespace
}  // namespace scree::detail

int main(int argc, char** argv) {
  return scree::test::small_disk_main(argc, argv, "size=6m", &scree::detail::run_on_small_disk);
}
