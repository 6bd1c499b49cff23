// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include <rocksdb/listener.h>

namespace scree::detail {

// Counts finished compactions, so that a flush can wait for the next one; notes background errors, so that the next
// commit asks RocksDB to resume. Called by RocksDB's background threads.
class CompactionListener : public rocksdb::EventListener {
 public:
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override {
    std::lock_guard lock(mutex_);
    ++events_;
    changed_.notify_all();
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    std::lock_guard lock(mutex_);
    ++events_;
    failed_ = true;
    changed_.notify_all();
  }

  std::uint64_t events() const {
    std::lock_guard lock(mutex_);
    return events_;
  }

  bool failed() const {
    std::lock_guard lock(mutex_);
    return failed_;
  }

  // True if there was an error since the last call.
  bool take_failure() {
    std::lock_guard lock(mutex_);
    return std::exchange(failed_, false);
  }

  // Returns when there was an event after the first `seen` ones, or at `deadline`; false in that case.
  bool wait_past(std::uint64_t seen, std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return events_ > seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t events_ = 0;
  bool failed_ = false;
};

}  // namespace scree::detail
