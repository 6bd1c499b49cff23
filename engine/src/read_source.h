// SPDX-License-Identifier: Apache-2.0
//
// ReadSource: one layer that an iterator or a flush reads, an ordered cursor that shows tombstones. Layers of memory show
// one snapshot; what they show stays in place as long as the snapshot and the generation are held.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <scree/commit_clock.h>
#include <scree/status.h>

#include "memtable.h"
#include "store.h"

namespace scree::detail {

class ReadSource {
 public:
  virtual ~ReadSource() = default;

  virtual bool valid() const noexcept = 0;
  virtual Status status() const { return {}; }
  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void seek(std::string_view target) = 0;           // the first key >= target
  virtual void seek_for_prev(std::string_view target) = 0;  // the last key <= target
  virtual void next() = 0;
  virtual void prev() = 0;

  // Require valid().
  virtual std::string_view key() const noexcept = 0;
  virtual std::string_view value() const noexcept = 0;  // of an entry that is not a tombstone
  virtual bool is_tombstone() const noexcept = 0;
  virtual Sequence sequence() const noexcept = 0;
};

// Reads a tree in pieces, each under a short barrier, so that no epoch is held between moves.
std::unique_ptr<ReadSource> memtable_source(const Memtable& memtable, Sequence at);

std::unique_ptr<ReadSource> tables_source(std::unique_ptr<StoreIterator> iterator);

}  // namespace scree::detail
