// SPDX-License-Identifier: Apache-2.0
//
// The engine on a disk that fills up while it writes, flushes and recovers.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "support/small_disk.h"

namespace scree::test {
namespace {

// The child's life: it cannot use GoogleTest's assertions.
class SmallDisk {
 public:
  explicit SmallDisk(std::string directory) : directory_(std::move(directory)), random_(1) {
    options_.memtable_bytes = 64u << 10;
    options_.memory_budget = 192u << 10;
    options_.wal_segment_bytes = 64u << 10;
  }

  int run() {
    reopen("at first");
    if (engine_ == nullptr) return 1;
    expect(engine_->create_index("tree", IndexKind::kTree, &index_).is_ok(), "an index", {});
    for (int i = 0; i < 100; ++i) write(Durability::kProcess);

    for (const std::uintmax_t left : {0u, 16u << 10, 160u << 10, 700u << 10}) {
      // Writing and flushing until nothing goes any more.
      fill_disk(directory_, left);
      int refused = 0;
      for (int i = 0; i < 3000 && refused < 3; ++i)
        refused += write(i % 2 == 0 ? Durability::kProcess : Durability::kDisk) ? 0 : 1;
      expect(refused == 3, "NoSpace from writes in the end", {});
      Status status = engine_->flush();
      expect(status.is_ok() || status.is_no_space(), "NoSpace from a flush", status);
      check("on a full disk");

      // Once there is room all goes on, without opening again.
      empty_disk(directory_);
      status = engine_->flush();
      expect(status.is_ok(), "a flush once there is room again", status);
      for (int i = 0; i < 100; ++i) expect(write(Durability::kDisk), "a write once there is room again", {});
      check("with room again");
      erase_all();

      // The same when the store is opened on a full disk.
      for (int i = 0; i < 100; ++i) write(Durability::kProcess);
      fill_disk(directory_, left);
      reopen(nullptr);
      if (engine_ != nullptr) check("opened on a full disk");
      empty_disk(directory_);
      reopen("with room again");
      if (engine_ == nullptr) return 1;
      check("opened again with room");
      expect(write(Durability::kProcess), "a write in the end", {});
    }
    return failures_ == 0 ? 0 : 1;
  }

 private:
  void expect(bool condition, const std::string& what, const Status& status) {
    if (condition) return;
    ++failures_;
    std::fprintf(stderr, "expected: %s; status: %s\n", what.c_str(), status.to_string().c_str());
  }

  // Must succeed if `when` says so; else it may find no space.
  void reopen(const char* when) {
    engine_.reset();
    const Status status = Engine::open(options_, directory_ + "/store", &engine_);
    expect(status.is_ok() || (when == nullptr && status.is_no_space()),
           std::string("an open store ") + (when ? when : "or none"), status);
    if (engine_ == nullptr || acknowledged_.empty()) return;
    const Status opened = engine_->open_index("tree", IndexKind::kTree, &index_);
    expect(opened.is_ok(), "the index", opened);
  }

  // False if there was no space.
  bool write(Durability durability) {
    WriteOptions options;
    options.durability = durability;
    const std::string key = std::to_string(next_++);
    std::string value(1024, '\0');
    for (char& byte : value) byte = static_cast<char>(random_());
    const Status status = engine_->put(options, index_, key, value);
    if (status.is_ok()) {
      acknowledged_[key] = std::move(value);
      return true;
    }
    expect(status.is_no_space(), "a write or NoSpace", status);
    return false;
  }

  void erase_all() {
    for (const auto& [key, value] : acknowledged_) {
      const Status status = engine_->erase({}, index_, key);
      expect(status.is_ok(), "an erasure", status);
    }
    acknowledged_.clear();
    Status status = engine_->flush();
    expect(status.is_ok(), "a flush of erasures", status);
  }

  // What was acknowledged is there, and nothing else: NoSpace says that a write has not happened.
  void check(const char* when) {
    const auto it = engine_->iterator({}, index_);
    auto expected = acknowledged_.begin();
    for (it->seek_to_first(); it->valid() && expected != acknowledged_.end(); it->next(), ++expected) {
      if (it->key() != expected->first || it->value() != expected->second) break;
    }
    expect(!it->valid() && expected == acknowledged_.end(),
           std::string("the acknowledged writes and no others ") + when, it->status());
  }

  const std::string directory_;
  Options options_;
  std::mt19937 random_;
  std::unique_ptr<Engine> engine_;
  Index index_;
  std::map<std::string, std::string> acknowledged_;
  int next_ = 100000;
  int failures_ = 0;
};

TEST(EngineFullDisk, is_no_space_loses_nothing_and_ends_when_there_is_room) { check_on_small_disk(); }

}  // namespace
}  // namespace scree::test

int main(int argc, char** argv) {
  using namespace scree::test;
  return small_disk_main(argc, argv, "size=8m",
                         [](const std::string& directory) { return SmallDisk(directory).run(); });
}
