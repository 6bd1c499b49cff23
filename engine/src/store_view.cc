// SPDX-License-Identifier: Apache-2.0

#include <optional>
#include <utility>

#include <rocksdb/iterator.h>
#include <rocksdb/snapshot.h>

#include "store_rocksdb.h"
#include "store_value.h"

namespace scree::detail {

std::shared_ptr<const StoreView> Store::view() const {
  auto rep = std::make_unique<StoreView::Rep>();
  rep->database = rep_->database;
  {
    // RocksDB shows an ingested file to snapshots taken while it is still coming in: hence the mutex.
    std::lock_guard lock(rep_->mutex);
    rep->families = rep_->families;
    rep->snapshot = rep_->database->db->GetSnapshot();
  }
  rep->read_options.snapshot = rep->snapshot;
  return std::shared_ptr<const StoreView>(new StoreView(std::move(rep)));
}

StoreView::StoreView(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
StoreView::~StoreView() = default;

StoreView::Rep::~Rep() {
  if (snapshot != nullptr) database->db->ReleaseSnapshot(snapshot);
}

bool StoreView::has_data(std::uint32_t family) const noexcept {
  const FamilyEntry* entry = rep_->families->find(family);
  return entry != nullptr && entry->has_data;
}

Status StoreView::get(std::uint32_t family, std::string_view key, std::string* value, std::uint64_t* sequence) const {
  const FamilyEntry* entry = rep_->families->find(family);
  if (entry == nullptr || !entry->has_data) return Status::not_found({});
  rocksdb::PinnableSlice stored;
  const rocksdb::Status done =
      rep_->database->db->Get(rep_->read_options, entry->family->handle, to_slice(key), &stored);
  if (done.IsNotFound()) return Status::not_found({});
  if (!done.ok()) return from_rocksdb(done, "family " + family_name(family));
  std::string_view bytes = to_view(stored);
  std::uint64_t found = 0;
  if (!take_value_header(&bytes, &found)) return damaged_value(family, key);
  value->assign(bytes);
  if (sequence != nullptr) *sequence = found;
  return Status::ok();
}

struct StoreIterator::Rep {
  // Destroyed from the last to the first: RocksDB's iterator before the bounds and the view that it uses.
  std::shared_ptr<const StoreView> view;
  std::uint32_t family = 0;
  Status damage;
  std::optional<std::string> lower;
  std::optional<std::string> upper;
  rocksdb::Slice lower_slice;
  rocksdb::Slice upper_slice;
  std::unique_ptr<rocksdb::Iterator> cursor;
};

std::unique_ptr<StoreIterator> StoreView::iterate(std::uint32_t family, const std::string* lower,
                                                  const std::string* upper) const {
  const FamilyEntry* entry = rep_->families->find(family);
  if (entry == nullptr || !entry->has_data) return nullptr;
  auto rep = std::make_unique<StoreIterator::Rep>();
  rep->view = shared_from_this();
  rep->family = family;
  rocksdb::ReadOptions options = rep_->read_options;
  if (lower != nullptr) {
    rep->lower_slice = to_slice(rep->lower.emplace(*lower));
    options.iterate_lower_bound = &rep->lower_slice;
  }
  if (upper != nullptr) {
    rep->upper_slice = to_slice(rep->upper.emplace(*upper));
    options.iterate_upper_bound = &rep->upper_slice;
  }
  rep->cursor.reset(rep_->database->db->NewIterator(options, entry->family->handle));
  return std::unique_ptr<StoreIterator>(new StoreIterator(std::move(rep)));
}

StoreIterator::StoreIterator(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
StoreIterator::~StoreIterator() = default;

void StoreIterator::settle() {
  valid_ = rep_->cursor->Valid();
  if (!valid_) return;
  key_ = to_view(rep_->cursor->key());
  value_ = to_view(rep_->cursor->value());
  if (!take_value_header(&value_, &sequence_)) {
    valid_ = false;
    rep_->damage = damaged_value(rep_->family, key_);
  }
}

Status StoreIterator::status() const {
  if (!rep_->damage.is_ok()) return rep_->damage;
  return from_rocksdb(rep_->cursor->status(), "family " + family_name(rep_->family));
}

void StoreIterator::seek_to_first() {
  rep_->damage = Status::ok();
  rep_->cursor->SeekToFirst();
  settle();
}

void StoreIterator::seek_to_last() {
  rep_->damage = Status::ok();
  rep_->cursor->SeekToLast();
  settle();
}

void StoreIterator::seek(std::string_view target) {
  rep_->damage = Status::ok();
  rep_->cursor->Seek(to_slice(target));
  settle();
}

void StoreIterator::seek_for_prev(std::string_view target) {
  rep_->damage = Status::ok();
  rep_->cursor->SeekForPrev(to_slice(target));
  settle();
}

void StoreIterator::next() {
  rep_->cursor->Next();
  settle();
}

void StoreIterator::prev() {
  rep_->cursor->Prev();
  settle();
}

}  // namespace scree::detail
