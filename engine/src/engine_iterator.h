// SPDX-License-Identifier: Apache-2.0
//
// The engine's iterator: merges the layers of one version set, newest first, at one sequence number.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <scree/iterator.h>
#include <scree/snapshot_barrier.h>

#include "read_source.h"
#include "version_set.h"

namespace scree::detail {

// What a reader holds for as long as it lives. Let go in the opposite order.
struct ReaderHold {
  std::shared_ptr<const void> engine;  // keeps the store open and counts the reader
  ebr::Arc<VersionSet> versions;
  SnapshotBarrier snapshot;
};

class EngineIterator final : public Iterator {
 public:
  struct Bounds {
    std::optional<std::string> lower;
    std::optional<std::string> upper;
  };

  // `sources`: newest first; of an unordered index each is sorted all the same, only its order is not promised.
  EngineIterator(ReaderHold hold, std::vector<std::unique_ptr<ReadSource>> sources, Bounds bounds, bool ordered)
      : hold_(std::move(hold)), sources_(std::move(sources)), bounds_(std::move(bounds)), ordered_(ordered) {}

  bool valid() const noexcept override { return current_ != nullptr; }
  Status status() const override { return status_; }
  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view target) override;
  void seek_for_prev(std::string_view target) override;
  void next() override;
  void prev() override;
  std::string_view key() const override { return current_->key(); }
  std::string_view value() const override { return current_->value(); }

 private:
  enum class Direction { kForward, kBackward };

  bool begin(bool needs_order);
  void position_forward(std::string_view target);
  void settle(Direction direction);
  void step_past_key(Direction direction);
  void turn(Direction direction);
  bool in_bounds(std::string_view key, Direction direction) const;

  ReaderHold hold_;
  std::vector<std::unique_ptr<ReadSource>> sources_;
  const Bounds bounds_;
  const bool ordered_;
  Direction direction_ = Direction::kForward;
  ReadSource* current_ = nullptr;  // null: not valid
  Status status_;
};

// An iterator that only says why there is none.
std::unique_ptr<Iterator> failed_iterator(Status status);

}  // namespace scree::detail
