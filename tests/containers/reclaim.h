// SPDX-License-Identifier: Apache-2.0
//
// What the tests of reclamation share: instances that are counted, and a way to have all garbage freed.

#pragma once

#include <cstddef>

#include <scree/atomic.h>
#include <scree/ebr.h>

namespace scree::test {

// Frees what this thread retired and what other threads left, with whatever that frees in turn. Only outside barriers;
// false if some of it still waits, thus for a barrier of another thread.
inline bool reclaim_all(std::size_t rounds = 100'000) {
  for (; rounds != 0; --rounds) {
    if (!ebr::collect()) return true;
  }
  return false;
}

// Counts the instances of it that are alive.
class Counted {
 public:
  explicit Counted(Atomic<int>& alive, int value = 0) : alive_(&alive), value_(value) { ++*alive_; }
  Counted(const Counted& other) : alive_(other.alive_), value_(other.value_) { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    value_ = -1;
    --*alive_;
  }
  int value() const noexcept { return value_; }

 private:
  Atomic<int>* alive_;
  int value_;
};

}  // namespace scree::test
