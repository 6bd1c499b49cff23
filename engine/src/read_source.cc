// SPDX-License-Identifier: Apache-2.0

#include "read_source.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace scree::detail {

namespace {

struct Item {
  std::string_view key;
  const Memtable::Chain* chain;
  const Memtable::VersionType* version;
};

// Finds the version of each item that `at` sees, and drops the items that it does not see. The newest versions were
// prefetched when the items were collected, so that their misses overlap.
void resolve(std::vector<Item>& items, Sequence at) {
  std::size_t kept = 0;
  for (Item& item : items) {
    item.version = item.chain->at(at);
    if (item.version != nullptr) items[kept++] = item;
  }
  items.resize(kept);
}

// Entries of a memtable, some of them at hand in `items_`.
class MemtableSource : public ReadSource {
 public:
  bool valid() const noexcept override { return position_ < items_.size(); }
  std::string_view key() const noexcept override { return items_[position_].key; }
  std::string_view value() const noexcept override { return items_[position_].version->value(); }
  bool is_tombstone() const noexcept override { return items_[position_].version->is_tombstone(); }
  Sequence sequence() const noexcept override { return items_[position_].version->sequence; }

 protected:
  std::vector<Item> items_;
  std::size_t position_ = 0;
};

class TreeSource final : public MemtableSource {
 public:
  TreeSource(const Memtable::Tree& tree, Sequence at) : tree_(tree), at_(at) {}

  void seek_to_first() override {
    restart();
    fill(kForward, [](auto& cursor) { cursor.seek_to_first(); });
  }
  void seek_to_last() override {
    restart();
    fill(kBackward, [](auto& cursor) { cursor.seek_to_last(); });
  }
  void seek(std::string_view target) override {
    restart();
    fill(kForward, [target](auto& cursor) { cursor.seek(target); });
  }
  void seek_for_prev(std::string_view target) override {
    restart();
    fill(kBackward, [target](auto& cursor) { cursor.seek_for_prev(target); });
  }
  void next() override { move(kForward); }
  void prev() override { move(kBackward); }

 private:
  enum Direction { kForward, kBackward };

  // A walk that turns out to be long reads in larger pieces.
  static constexpr std::size_t kFirstPiece = 8;
  static constexpr std::size_t kLargestPiece = 128;

  void restart() noexcept { piece_ = kFirstPiece; }

  void move(Direction direction) {
    if (direction == direction_) {
      if (++position_ < items_.size() || exhausted_) return;
    } else if (position_ > 0) {
      --position_;
      return;
    }
    const std::string_view from = direction == direction_ ? items_.back().key : items_.front().key;
    piece_ = std::min(2 * piece_, kLargestPiece);
    fill(direction, [from, direction](auto& cursor) {
      direction == kForward ? cursor.seek(from) : cursor.seek_for_prev(from);
      if (cursor.valid() && cursor.key() == from) direction == kForward ? cursor.next() : cursor.prev();
    });
  }

  template <class Position>
  void fill(Direction direction, Position&& position) {
    position_ = 0;
    direction_ = direction;
    const ebr::Barrier barrier;
    auto cursor = tree_.index().cursor(barrier);
    position(cursor);
    do {
      items_.clear();
      for (; cursor.valid() && items_.size() < piece_; direction == kForward ? cursor.next() : cursor.prev()) {
        const Memtable::Chain& chain = cursor.value();
        __builtin_prefetch(chain.newest());
        items_.push_back({cursor.key(), &chain, nullptr});
      }
      resolve(items_, at_);
    } while (items_.empty() && cursor.valid());
    exhausted_ = !cursor.valid();
  }

  const Memtable::Tree& tree_;
  const Sequence at_;
  std::size_t piece_ = kFirstPiece;
  Direction direction_ = kForward;
  bool exhausted_ = false;
};

// All entries of a hash, sorted once.
class HashSource final : public MemtableSource {
 public:
  HashSource(const Memtable::Hash& hash, Sequence at) {
    const ebr::Barrier barrier;
    for (auto [key, chain] : hash.index().iter(barrier)) {
      __builtin_prefetch(chain.newest());
      items_.push_back({key, &chain, nullptr});
    }
    resolve(items_, at);
    std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) { return a.key < b.key; });
    position_ = items_.size();
  }

  void seek_to_first() override { position_ = 0; }
  void seek_to_last() override { position_ = items_.size() - 1; }
  void seek(std::string_view target) override {
    position_ = static_cast<std::size_t>(
        std::lower_bound(items_.begin(), items_.end(), target,
                         [](const Item& item, std::string_view key) { return item.key < key; }) -
        items_.begin());
  }
  void seek_for_prev(std::string_view target) override {
    position_ = static_cast<std::size_t>(
        std::upper_bound(items_.begin(), items_.end(), target,
                         [](std::string_view key, const Item& item) { return key < item.key; }) -
        items_.begin());
    --position_;
  }
  void next() override { ++position_; }
  void prev() override { --position_; }  // from 0 it wraps to an invalid position
};

class TablesSource final : public ReadSource {
 public:
  explicit TablesSource(std::unique_ptr<StoreIterator> iterator) : iterator_(std::move(iterator)) {}

  bool valid() const noexcept override { return iterator_->valid(); }
  Status status() const override { return iterator_->status(); }
  void seek_to_first() override { iterator_->seek_to_first(); }
  void seek_to_last() override { iterator_->seek_to_last(); }
  void seek(std::string_view target) override { iterator_->seek(target); }
  void seek_for_prev(std::string_view target) override { iterator_->seek_for_prev(target); }
  void next() override { iterator_->next(); }
  void prev() override { iterator_->prev(); }
  std::string_view key() const noexcept override { return iterator_->key(); }
  std::string_view value() const noexcept override { return iterator_->value(); }
  bool is_tombstone() const noexcept override { return false; }
  Sequence sequence() const noexcept override { return iterator_->sequence(); }

 private:
  std::unique_ptr<StoreIterator> iterator_;
};

}  // namespace

std::unique_ptr<ReadSource> memtable_source(const Memtable& memtable, Sequence at) {
  if (memtable.tree() != nullptr) return std::make_unique<TreeSource>(*memtable.tree(), at);
  return std::make_unique<HashSource>(*memtable.hash(), at);
}

std::unique_ptr<ReadSource> tables_source(std::unique_ptr<StoreIterator> iterator) {
  return std::make_unique<TablesSource>(std::move(iterator));
}

}  // namespace scree::detail
