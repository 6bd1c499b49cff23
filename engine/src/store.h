// SPDX-License-Identifier: Apache-2.0
//
// Store: the tables on disk, the only part of Scree that knows RocksDB (files named store*). Each index is one
// column family, named by its id; one more family holds the metadata. Data reaches RocksDB by ingested SST
// files only: its log stays off and its memtables stay empty, so a column family never mixes the two ways.
//
// Invariants
//  1. What one flush brings, in all its families and the metadata, becomes visible and durable as a whole.
//  2. A view never changes: it was taken wholly before or wholly after any commit (both hold one mutex).
//  3. Whatever refers to RocksDB's parts (views, iterators, flushes) keeps the database open by count.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <scree/options.h>
#include <scree/status.h>

namespace scree::detail {

struct StoreOptions {
  Compression compression = Compression::kLZ4;
  int bloom_bits = 10;  // per key; 0 for no filter
  std::size_t block_cache_bytes = 32u << 20;
};

// What the metadata family recorded at the last commit. The catalogue's bytes are opaque here.
struct StoreMetadata {
  std::uint64_t flushed_to = 0;
  std::string catalogue;
};

class StoreView;

// A cursor over one family as of its view, which it keeps alive. key() and value() stay valid until the next
// move. After an error valid() is false and status() says why. Used by one thread at a time.
class StoreIterator {
 public:
  ~StoreIterator();
  StoreIterator(const StoreIterator&) = delete;
  StoreIterator& operator=(const StoreIterator&) = delete;

  bool valid() const noexcept { return valid_; }
  Status status() const;

  void seek_to_first();
  void seek_to_last();
  void seek(std::string_view target);           // the first key >= target
  void seek_for_prev(std::string_view target);  // the last key <= target
  void next();                                  // requires valid()
  void prev();                                  // requires valid()

  // All three require valid(). The value comes without its header.
  std::string_view key() const noexcept { return key_; }
  std::string_view value() const noexcept { return value_; }
  std::uint64_t sequence() const noexcept { return sequence_; }

 private:
  friend class StoreView;
  struct Rep;
  explicit StoreIterator(std::unique_ptr<Rep> rep);
  void settle();  // takes over key, value and sequence from where RocksDB's iterator now stands

  std::unique_ptr<Rep> rep_;
  std::string_view key_;
  std::string_view value_;
  std::uint64_t sequence_ = 0;
  bool valid_ = false;
};

// A point in time of every family. Held by count; keeps the database open. Thread-safe.
class StoreView : public std::enable_shared_from_this<StoreView> {
 public:
  ~StoreView();
  StoreView(const StoreView&) = delete;
  StoreView& operator=(const StoreView&) = delete;

  // NotFound if absent. `*value` comes without its header; `sequence` may be null.
  Status get(std::uint32_t family, std::string_view key, std::string* value, std::uint64_t* sequence = nullptr) const;

  // A cursor over [*lower, *upper); a null bound is unbounded, others are copied. Null if has_data() is false.
  std::unique_ptr<StoreIterator> iterate(std::uint32_t family, const std::string* lower,
                                         const std::string* upper) const;

  // False if nothing was ever ingested into the family before this view was taken: such a family costs no
  // call of RocksDB.
  bool has_data(std::uint32_t family) const noexcept;

 private:
  friend class Store;
  struct Rep;
  explicit StoreView(std::unique_ptr<Rep> rep);
  std::unique_ptr<const Rep> rep_;
};

// One flush: stages one SST file for each family, then brings in all of them and the metadata at once. Dropping
// it before commit() removes what it staged. After an error it is good for nothing but its destructor.
// Used by one thread at a time; several may be open.
class FlushWriter {
 public:
  ~FlushWriter();
  FlushWriter(const FlushWriter&) = delete;
  FlushWriter& operator=(const FlushWriter&) = delete;

  // The puts and erasures that follow go to family `id`, each family once a flush, its keys in strictly
  // ascending order. A family that gets no entry is left out; a missing one is created with its first entry.
  Status begin_family(std::uint32_t id);
  Status put(std::string_view key, std::uint64_t sequence, std::string_view value);
  Status erase(std::string_view key);

  // On success everything is visible to new views and survives power loss. After an error nothing has changed,
  // for readers and for a later open; the one exception is a failed write of RocksDB's MANIFEST, after
  // which a crash may still find the flush, as a whole. Entries of families dropped meanwhile are left out.
  Status commit(const StoreMetadata& metadata);

  std::uint64_t entries() const noexcept { return entries_; }
  std::uint64_t bytes() const noexcept { return bytes_; }  // of keys and values as given

 private:
  friend class Store;
  friend struct FlushWriterTestAccess;  // plants records that put() and commit() never write
  struct Rep;
  explicit FlushWriter(std::unique_ptr<Rep> rep);
  Status put_stored(std::string_view key, std::string_view stored);  // `stored` has its header already
  Status finish_family();
  Status commit_record(const StoreMetadata& metadata, std::string_view record);

  std::unique_ptr<Rep> rep_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

// Thread-safe.
class Store {
 public:
  // Opens the tables in `directory`, creating them if there are none; its parent must exist. `*store` is set only
  // on success. What a crash left of an unfinished flush is removed.
  static Status open(const StoreOptions& options, const std::string& directory, std::unique_ptr<Store>* store);

  // The database itself closes when the last view, iterator and flush are gone too.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // As of open or the last commit.
  StoreMetadata metadata() const;

  // Never null. Waits for a commit or drop that is under way.
  std::shared_ptr<const StoreView> view() const;

  Status new_flush(std::unique_ptr<FlushWriter>* flush);

  // OK also if there is no such family. Views and iterators that use it go on working.
  Status drop_family(std::uint32_t id);

  // The ids of all families, ascending.
  std::vector<std::uint32_t> families() const;

 private:
  struct Rep;
  explicit Store(std::shared_ptr<Rep> rep);
  friend class FlushWriter;
  std::shared_ptr<Rep> rep_;
};

}  // namespace scree::detail
