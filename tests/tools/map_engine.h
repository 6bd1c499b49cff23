// SPDX-License-Identifier: Apache-2.0
//
// The simplest engine: a std::map under a mutex. Its cursors walk a copy. It stands for any engine that joins.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapter.h"

namespace scree::bench {

using MapContents = std::map<std::string, std::string, std::less<>>;

class MapStore;

class MapCursor final : public Cursor {
 public:
  explicit MapCursor(MapContents contents) : contents_(std::move(contents)), at_(contents_.end()) {}

  bool valid() const override { return at_ != contents_.end(); }
  Status status() const override { return Status::ok(); }
  void seek_to_first() override { at_ = contents_.begin(); }
  void seek_to_last() override { at_ = contents_.empty() ? contents_.end() : std::prev(contents_.end()); }
  void seek(std::string_view target) override { at_ = contents_.lower_bound(target); }
  void next() override { ++at_; }
  void prev() override { at_ = at_ == contents_.begin() ? contents_.end() : std::prev(at_); }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }

 private:
  const MapContents contents_;
  MapContents::const_iterator at_;
};

class MapStore final : public Store {
 public:
  std::unique_ptr<Session> session(bool sync) override;

  std::mutex mutex;
  MapContents contents;
  std::vector<std::size_t> batch_sizes;  // of each write
  unsigned synced_sessions = 0;
  std::uint64_t fail_write = 0;  // the number of the write that fails, from 1 on; 0: none
};

class MapSession final : public Session {
 public:
  explicit MapSession(MapStore* store) : store_(store) {}

  Status put(std::string_view key, std::string_view value) override {
    add_put(key, value);
    return write_batch();
  }
  Status erase(std::string_view key) override {
    add_erase(key);
    return write_batch();
  }
  void add_put(std::string_view key, std::string_view value) override { batch_.emplace_back(key, std::string(value)); }
  void add_erase(std::string_view key) override { batch_.emplace_back(key, std::nullopt); }

  Status write_batch() override {
    const std::scoped_lock lock(store_->mutex);
    store_->batch_sizes.push_back(batch_.size());
    if (store_->batch_sizes.size() == store_->fail_write) return Status::io_error("planted");
    for (auto& [key, value] : std::exchange(batch_, {})) {
      if (value) {
        store_->contents[key] = *value;
      } else {
        store_->contents.erase(key);
      }
    }
    return Status::ok();
  }

  Status get(std::string_view key, std::string_view* value) override {
    const std::scoped_lock lock(store_->mutex);
    const auto found = store_->contents.find(key);
    if (found == store_->contents.end()) return Status::not_found({});
    value_ = found->second;
    *value = value_;
    return Status::ok();
  }

  std::unique_ptr<Cursor> cursor() override {
    const std::scoped_lock lock(store_->mutex);
    return std::make_unique<MapCursor>(store_->contents);
  }

 private:
  MapStore* const store_;
  std::vector<std::pair<std::string, std::optional<std::string>>> batch_;
  std::string value_;
};

inline std::unique_ptr<Session> MapStore::session(bool sync) {
  const std::scoped_lock lock(mutex);
  if (sync) ++synced_sessions;
  return std::make_unique<MapSession>(this);
}

}  // namespace scree::bench
