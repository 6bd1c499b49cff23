// SPDX-License-Identifier: Apache-2.0

#include "engine_iterator.h"

#include <utility>

namespace scree::detail {

namespace {

class FailedIterator final : public Iterator {
 public:
  explicit FailedIterator(Status status) : status_(std::move(status)) {}
  bool valid() const noexcept override { return false; }
  Status status() const override { return status_; }
  void seek_to_first() override {}
  void seek_to_last() override {}
  void seek(std::string_view) override {}
  void seek_for_prev(std::string_view) override {}
  void next() override {}
  void prev() override {}
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }

 private:
  const Status status_;
};

}  // namespace

std::unique_ptr<Iterator> failed_iterator(Status status) {
  return std::make_unique<FailedIterator>(std::move(status));
}

// Before a seek: nothing is current. False, with the status set, if the index has no order and needs one.
bool EngineIterator::begin(bool needs_order) {
  current_ = nullptr;
  status_ = Status::ok();
  if (!needs_order || ordered_) return true;
  status_ = Status::not_supported("a hash index is scanned from seek_to_first() by next() only");
  return false;
}

void EngineIterator::seek_to_first() {
  if (!begin(false)) return;
  if (bounds_.lower) return position_forward(*bounds_.lower);
  for (auto& source : sources_) source->seek_to_first();
  settle(Direction::kForward);
}

void EngineIterator::seek_to_last() {
  if (!begin(true)) return;
  for (auto& source : sources_) {
    if (!bounds_.upper) {
      source->seek_to_last();
      continue;
    }
    source->seek_for_prev(*bounds_.upper);
    if (source->valid() && source->key() == *bounds_.upper) source->prev();
  }
  settle(Direction::kBackward);
}

void EngineIterator::seek(std::string_view target) {
  if (!begin(true)) return;
  position_forward(bounds_.lower && target < *bounds_.lower ? std::string_view(*bounds_.lower) : target);
}

void EngineIterator::seek_for_prev(std::string_view target) {
  if (bounds_.upper && target >= *bounds_.upper) return seek_to_last();
  if (!begin(true)) return;
  for (auto& source : sources_) source->seek_for_prev(target);
  settle(Direction::kBackward);
}

void EngineIterator::next() {
  if (current_ == nullptr) return;
  turn(Direction::kForward);
  step_past_key(Direction::kForward);
  settle(Direction::kForward);
}

void EngineIterator::prev() {
  if (current_ == nullptr) return;
  if (!ordered_) {
    begin(true);
    return;
  }
  turn(Direction::kBackward);
  step_past_key(Direction::kBackward);
  settle(Direction::kBackward);
}

void EngineIterator::position_forward(std::string_view target) {
  for (auto& source : sources_) source->seek(target);
  settle(Direction::kForward);
}

// Puts all sources but the current one to the side of the current key where `direction` goes, or on it.
void EngineIterator::turn(Direction direction) {
  if (direction == direction_) return;
  const std::string key(current_->key());
  for (auto& source : sources_) {
    if (source.get() == current_) continue;
    direction == Direction::kForward ? source->seek(key) : source->seek_for_prev(key);
  }
  direction_ = direction;
}

void EngineIterator::step_past_key(Direction direction) {
  // The current source moves last: its key is what the others are compared with.
  const std::string_view key = current_->key();
  for (auto& source : sources_) {
    if (source.get() == current_ || !source->valid() || source->key() != key) continue;
    direction == Direction::kForward ? source->next() : source->prev();
  }
  direction == Direction::kForward ? current_->next() : current_->prev();
}

// The next key in `direction` among the sources, of which the newest source decides; skips what it says is erased.
void EngineIterator::settle(Direction direction) {
  direction_ = direction;
  for (;;) {
    current_ = nullptr;
    for (auto& source : sources_) {
      if (!source->valid()) {
        if (Status status = source->status(); !status.is_ok()) {
          current_ = nullptr;
          status_ = std::move(status);
          return;
        }
        continue;
      }
      if (current_ == nullptr ||
          (direction == Direction::kForward ? source->key() < current_->key() : source->key() > current_->key())) {
        current_ = source.get();
      }
    }
    if (current_ == nullptr) return;
    if (!in_bounds(current_->key(), direction)) {
      current_ = nullptr;
      return;
    }
    if (!current_->is_tombstone()) return;
    step_past_key(direction);
  }
}

bool EngineIterator::in_bounds(std::string_view key, Direction direction) const {
  return direction == Direction::kForward ? !bounds_.upper || key < *bounds_.upper
                                          : !bounds_.lower || key >= *bounds_.lower;
}

}  // namespace scree::detail
