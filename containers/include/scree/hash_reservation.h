// SPDX-License-Identifier: Apache-2.0
//
// HashReservation: room in a hash container that stays as long as this lives, and that it does not outlive.

#pragma once

#include <cstddef>
#include <utility>

#include <scree/ebr.h>

namespace scree {

template <class Core>
class [[nodiscard]] HashReservation {
 public:
  HashReservation(Core& core, std::size_t entries) : core_(&core), entries_(entries) {
    const ebr::Barrier barrier;
    core.reserve(entries);
  }
  HashReservation(HashReservation&& other) noexcept : core_(other.core_), entries_(std::exchange(other.entries_, 0)) {}
  HashReservation& operator=(HashReservation&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(entries_, other.entries_);
    return *this;
  }
  ~HashReservation() {
    if (entries_ != 0) core_->give_back(entries_);
  }

  std::size_t entries() const noexcept { return entries_; }

 private:
  Core* core_;
  std::size_t entries_;
};

}  // namespace scree
