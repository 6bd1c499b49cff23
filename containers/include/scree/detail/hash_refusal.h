// SPDX-License-Identifier: Apache-2.0
//
// HashRefusal: the lock of a bucket for which an operation of a hash container would have had to wait, and may not, as
// it is a coroutine's: that waits for it outside barriers, and tries the operation again.

#pragma once

#include <cassert>

#include <scree/lock.h>

namespace scree::detail {

// The table that the bucket belongs to is pinned as long as the lock is named here.
template <class Core>
class HashRefusal {
 public:
  using Table = typename Core::Table;

  HashRefusal() noexcept = default;
  ~HashRefusal() { forget(); }
  HashRefusal(const HashRefusal&) = delete;
  HashRefusal& operator=(const HashRefusal&) = delete;

  // Under a barrier that has found the table.
  void refuse(Table& table, Lock& lock) noexcept {
    assert(!*this);
    Core::pin(table);
    table_ = &table;
    lock_ = &lock;
  }
  void forget() noexcept {
    if (table_ != nullptr) Core::let_go(*table_);
    table_ = nullptr;
  }

  explicit operator bool() const noexcept { return table_ != nullptr; }
  Lock& lock() const noexcept { return *lock_; }

 private:
  Table* table_ = nullptr;
  Lock* lock_ = nullptr;
};

}  // namespace scree::detail
