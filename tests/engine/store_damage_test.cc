// SPDX-License-Identifier: Apache-2.0
//
// Records that are in order for RocksDB but that the store cannot read.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <unistd.h>

#include <gtest/gtest.h>

#include "store.h"

namespace scree::detail {

struct FlushWriterTestAccess {
  static Status put_stored(FlushWriter& writer, std::string_view key, std::string_view stored) {
    return writer.put_stored(key, stored);
  }
  static Status commit_record(FlushWriter& writer, std::string_view record) { return writer.commit_record({}, record); }
};

namespace {

namespace fs = std::filesystem;

class StoreDamage : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "scree-damage-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    store_ = open();
    ASSERT_NE(store_, nullptr) << status_.message();
    ASSERT_TRUE(store_->new_flush(&writer_).is_ok());
    ASSERT_TRUE(writer_->begin_family(5).is_ok());
  }

  void TearDown() override {
    close();
    fs::remove_all(directory_);
  }

  std::unique_ptr<Store> open() {
    std::unique_ptr<Store> store;
    status_ = Store::open(StoreOptions{}, directory_ + "/db", &store);
    return store;
  }

  void close() {
    writer_.reset();
    store_.reset();
  }

  std::string directory_;
  Status status_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<FlushWriter> writer_;
};

TEST_F(StoreDamage, a_value_without_a_readable_header_is_corruption_naming_family_and_key) {
  ASSERT_TRUE(writer_->put("a", 1, "good").is_ok());
  ASSERT_TRUE(FlushWriterTestAccess::put_stored(*writer_, "b\x01", "\xff unknown flags").is_ok());
  ASSERT_TRUE(writer_->put("c", 1, "good").is_ok());
  ASSERT_TRUE(writer_->commit({1, ""}).is_ok());
  const auto view = store_->view();
  std::string value = "untouched";
  const Status status = view->get(5, "b\x01", &value);
  EXPECT_TRUE(status.is_corruption()) << status.message();
  EXPECT_NE(status.message().find("index-0000000005"), std::string_view::npos) << status.message();
  EXPECT_NE(status.message().find("'b\\x01'"), std::string_view::npos) << status.message();
  EXPECT_EQ(value, "untouched");

  const auto cursor = view->iterate(5, nullptr, nullptr);
  cursor->seek_to_first();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "a");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_TRUE(cursor->status().is_corruption());
  cursor->seek_to_last();
  ASSERT_TRUE(cursor->valid());
  EXPECT_TRUE(cursor->status().is_ok());
  cursor->prev();
  EXPECT_FALSE(cursor->valid());
  EXPECT_TRUE(cursor->status().is_corruption());
}

TEST_F(StoreDamage, a_metadata_record_that_does_not_parse_is_corruption) {
  ASSERT_TRUE(FlushWriterTestAccess::commit_record(*writer_, "\x01\xff").is_ok());
  close();
  EXPECT_EQ(open(), nullptr);
  EXPECT_TRUE(status_.is_corruption()) << status_.message();
}

}  // namespace
}  // namespace scree::detail
