// SPDX-License-Identifier: Apache-2.0
//
// Planted bugs: stores made of the real parts, put together wrongly, each in one way. A checker must report them.

#pragma once

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "snapshot/stores.h"

namespace scree::test {

// Where a broken store shows what it should not: long enough that someone looks.
inline void gap() {
  for (int n = 0; n < 10; ++n) std::this_thread::yield();
}

// Completes a commit before all of its versions are linked.
class PublishesEarly : public RealStore<> {
 public:
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    const CommitTicket ticket = clock_.begin();
    for (std::size_t i = 0; i < writes.size() / 2; ++i) link(writes[i], ticket.sequence);
    clock_.complete(ticket);
    gap();
    for (std::size_t i = writes.size() / 2; i < writes.size(); ++i) link(writes[i], ticket.sequence);
    return ticket.sequence;
  }
};

// Makes every write of a batch a commit of its own.
class AppliesHalfABatch : public RealStore<> {
 public:
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    Sequence last = 0;
    for (const PlaceWrite& w : writes) {
      last = RealStore::commit({w});
      gap();
    }
    return last;
  }
};

// Returns before the commit is visible.
class ReturnsEarly : public RealStore<> {
 public:
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    const std::lock_guard guard(mutex_);
    if (held_back_.sequence != 0) clock_.complete(held_back_);
    held_back_ = clock_.begin();
    for (const PlaceWrite& w : writes) link(w, held_back_.sequence);
    return held_back_.sequence;
  }

 private:
  std::mutex mutex_;
  CommitTicket held_back_{0, 0};
};

// Prunes as if there were no snapshots.
template <class Types = Numbers>
class PrunesTooEagerly : public RealStore<Types> {
 public:
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    for (const PlaceWrite& w : writes) this->prune(w.place, this->clock_.visible());
    return RealStore<Types>::commit(writes);
  }
};

template <class Types = Numbers>
class NeverPrunes : public RealStore<Types> {
 public:
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    const CommitTicket ticket = this->clock_.begin();
    for (const PlaceWrite& w : writes) this->link(w, ticket.sequence);
    this->clock_.complete(ticket);
    return ticket.sequence;
  }
};

// Of several writes to a key in one batch, the first counts.
template <class Types = Numbers>
class KeepsTheFirstWrite : public RealStore<Types> {
 public:
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    return RealStore<Types>::commit({writes.rbegin(), writes.rend()});
  }
};

// Takes a version that was pruned under it for an absent key.
class LooksOnce : public RealStore<> {
 public:
  std::optional<std::int64_t> get(Place place) {
    ebr::Barrier barrier;
    return on(place, [&](auto& index, auto key) -> std::optional<std::int64_t> {
      const auto* chain = index.index().peek(key, barrier);
      if (chain == nullptr) return std::nullopt;
      const Sequence visible = clock_.visible();
      SCREE_SYNC_POINT("index:visible");
      const auto* version = chain->at(visible);
      if (version == nullptr || version->is_tombstone()) return std::nullopt;
      return version->value();
    });
  }
};

}  // namespace scree::test
