// SPDX-License-Identifier: Apache-2.0
//
// VersionedBatch: writes to several versioned indexes that become visible as one commit.

#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <scree/detail/versioned_index.h>

namespace scree {

// Seen whole or not at all by every reader. All indexes share one clock. Of several writes to a key the last counts.
// Not thread-safe; the indexes outlive it.
class VersionedBatch {
 public:
  template <class Index, class Key, class Value>
  void put(Index& index, const Key& key, Value&& value) {
    add(index, key, Index::VersionType::make(std::forward<Value>(value)));
  }
  template <class Index, class Key>
  void erase(Index& index, const Key& key) {
    add(index, key, Index::VersionType::make_tombstone());
  }
  std::size_t count() const noexcept { return writes_.size(); }

 private:
  friend Sequence apply(VersionedBatch batch);

  // One version, ready to be linked. Its chain was inserted when the write was added: chains stay, so the commit itself
  // cannot fail.
  struct Write {
    virtual ~Write() = default;
    virtual void prune(const ebr::Barrier& barrier, Sequence horizon) noexcept = 0;
    virtual void link(Sequence sequence) noexcept = 0;
  };
  template <class Index>
  struct WriteTo final : Write {
    using Version = typename Index::VersionType;
    ~WriteTo() override {
      if (version != nullptr) Version::destroy(version);
    }
    void prune(const ebr::Barrier& barrier, Sequence horizon) noexcept override { chain->prune(barrier, horizon); }
    void link(Sequence sequence) noexcept override {
      version->sequence = sequence;
      chain->link(std::exchange(version, nullptr));
    }
    typename Index::Chain* chain = nullptr;
    Version* version = nullptr;
  };

  template <class Index, class Key>
  void add(Index& index, const Key& key, typename Index::VersionType* version) {
    auto write = [&] {
      try {
        return std::make_unique<WriteTo<Index>>();
      } catch (...) {
        Index::VersionType::destroy(version);
        throw;
      }
    }();
    write->version = version;
    assert(clock_ == nullptr || clock_ == &index.clock());
    clock_ = &index.clock();
    ebr::Barrier barrier;
    write->chain = &index.chain(key, barrier).first;
    writes_.push_back(std::move(write));
  }

  CommitClock* clock_ = nullptr;
  std::vector<std::unique_ptr<Write>> writes_;
};

// Commits the batch; its number, once it is visible (0 for an empty batch). Nothing in it can fail.
inline Sequence apply(VersionedBatch batch) {
  if (batch.writes_.empty()) return 0;
  CommitTicket ticket;
  {
    ebr::Barrier barrier;
    const Sequence horizon = batch.clock_->horizon();
    for (auto& write : batch.writes_) write->prune(barrier, horizon);
    ticket = batch.clock_->begin();
    for (auto& write : batch.writes_) write->link(ticket.sequence);
  }
  batch.clock_->complete(ticket);
  return ticket.sequence;
}

}  // namespace scree
