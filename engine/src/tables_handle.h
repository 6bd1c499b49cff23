// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "store.h"

namespace scree::detail {

// A version set's share of the tables. Version sets are reclaimed some time after their last use; this lets go of the
// tables, which keep RocksDB open, at the moment the engine closes.
class TablesHandle {
 public:
  explicit TablesHandle(std::shared_ptr<const StoreView> view) noexcept : view_(std::move(view)) {}

  // Null once closed.
  std::shared_ptr<const StoreView> view() const {
    std::lock_guard<std::mutex> guard(mutex_);
    return view_;
  }
  void close() {
    std::shared_ptr<const StoreView> view;
    std::lock_guard<std::mutex> guard(mutex_);
    view_.swap(view);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const StoreView> view_;
};

}  // namespace scree::detail
