// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string_view>

#include <scree/status.h>

namespace scree {

// A cursor over one index as of one point in time: the snapshot given to it, or its own creation. Later
// writes, flushes and drops do not change what it sees. It holds memory by count, never an ebr epoch, so
// it may live for minutes. Used by one thread at a time.
//
// key() and value() stay valid until the next move. After an error valid() is false and status() says why.
class Iterator {
 public:
  virtual ~Iterator() = default;
  Iterator(const Iterator&) = delete;
  Iterator& operator=(const Iterator&) = delete;

  virtual bool valid() const noexcept = 0;
  virtual Status status() const = 0;

  // Seeks are O(log n); moves are O(1) amortised. On a hash index only seek_to_first and next are
  // meaningful (its order is unspecified); the others set status() to NotSupported.
  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void seek(std::string_view target) = 0;           // the first key >= target
  virtual void seek_for_prev(std::string_view target) = 0;  // the last key <= target
  virtual void next() = 0;                                  // requires valid()
  virtual void prev() = 0;                                  // requires valid()

  virtual std::string_view key() const = 0;    // requires valid()
  virtual std::string_view value() const = 0;  // requires valid()

 protected:
  Iterator() = default;
};

}  // namespace scree
