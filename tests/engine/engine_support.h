// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the engine share: small memtables, an engine on a fresh directory, reading all of an index.

#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <scree/engine.h>

#include "support/temporary_directory.h"

namespace scree::test {

inline testing::AssertionResult is_ok(const Status& status) {
  return status.is_ok() ? testing::AssertionSuccess() : testing::AssertionFailure() << status.to_string();
}

// The code is `code` and the message names `what`.
inline testing::AssertionResult is_refused(const Status& status, StatusCode code, std::string_view what) {
  if (status.code() == code && status.message().find(what) != std::string_view::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected code " << static_cast<int>(code) << " and \"" << what << "\", got "
                                     << status.to_string();
}

// Freezes and flushes happen all the time.
inline Options small_options() {
  Options options;
  options.memtable_bytes = 8u << 10;
  options.memory_budget = 256u << 10;
  options.wal_segment_bytes = 64u << 10;
  options.block_cache_bytes = 1u << 20;
  return options;
}

using Entries = std::map<std::string, std::string>;

namespace detail {

inline Entries scan(const Engine& engine, const Index& index, const Snapshot* snapshot, bool backwards) {
  IteratorOptions options;
  options.snapshot = snapshot;
  const auto it = engine.iterator(options, index);
  Entries entries;
  std::string previous;
  for (backwards ? it->seek_to_last() : it->seek_to_first(); it->valid(); backwards ? it->prev() : it->next()) {
    const bool in_order = backwards ? it->key() < previous : it->key() > previous;
    if (index.kind() == IndexKind::kTree && !entries.empty() && !in_order) {
      ADD_FAILURE() << "key \"" << it->key() << "\" after \"" << previous << (backwards ? "\", backwards" : "\"");
    }
    previous = it->key();
    if (!entries.emplace(it->key(), it->value()).second) ADD_FAILURE() << "key \"" << it->key() << "\" twice";
  }
  EXPECT_TRUE(is_ok(it->status()));
  return entries;
}

}  // namespace detail

// All of an index, read from the first to the last; a tree is checked to be in order.
inline Entries scan(const Engine& engine, const Index& index, const Snapshot* snapshot = nullptr) {
  return detail::scan(engine, index, snapshot, false);
}

// All of a tree, read from the last to the first.
inline Entries scan_backwards(const Engine& engine, const Index& index, const Snapshot* snapshot = nullptr) {
  return detail::scan(engine, index, snapshot, true);
}

// The value, or "(none)"; anything but OK and NotFound fails the test.
inline std::string value_of(const Engine& engine, const Index& index, std::string_view key,
                            const Snapshot* snapshot = nullptr) {
  ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  const Status status = engine.get(options, index, key, &value);
  if (status.is_not_found()) return "(none)";
  EXPECT_TRUE(is_ok(status));
  return value;
}

// An engine on a directory of its own.
class TestEngine {
 public:
  explicit TestEngine(Options options = small_options(), const std::string& parent = testing::TempDir())
      : directory_(parent), options_(options) {
    open();
  }

  void open() {
    const Status status = Engine::open(options_, path(), &engine_);
    if (!status.is_ok()) throw std::runtime_error(status.to_string());
  }
  void reopen() {
    engine_.reset();
    open();
  }
  Index create(std::string_view name, IndexKind kind = IndexKind::kTree) {
    Index index;
    EXPECT_TRUE(is_ok(engine_->create_index(name, kind, &index)));
    return index;
  }
  Index find(std::string_view name, IndexKind kind = IndexKind::kTree) {
    Index index;
    EXPECT_TRUE(is_ok(engine_->open_index(name, kind, &index)));
    return index;
  }
  void put(const Index& index, std::string_view key, std::string_view value) {
    EXPECT_TRUE(is_ok(engine_->put({}, index, key, value)));
  }
  void erase(const Index& index, std::string_view key) { EXPECT_TRUE(is_ok(engine_->erase({}, index, key))); }
  void flush() { EXPECT_TRUE(is_ok(engine_->flush())); }

  std::string path() const { return directory_ / "store"; }
  const std::string& directory() const noexcept { return directory_.path(); }
  Engine& operator*() { return *engine_; }
  Engine* operator->() { return engine_.get(); }
  std::unique_ptr<Engine>& engine() { return engine_; }

 private:
  TemporaryDirectory directory_;
  const Options options_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace scree::test
