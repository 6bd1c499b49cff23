// SPDX-License-Identifier: Apache-2.0
//
// RocksDB as a peer. It is driven the way its own db_bench drives it: pipelined writes, one reused WriteBatch per
// thread also for single puts, reads into a PinnableSlice.

#include <dlfcn.h>

#include <fstream>
#include <iterator>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include "engines.h"

namespace scree::bench {
namespace {

rocksdb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view to_view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Status to_status(const rocksdb::Status& status) {
  if (status.ok()) return Status::ok();
  if (status.IsNotFound()) return Status::not_found({});
  if (status.IsCorruption()) return Status::corruption(status.ToString());
  if (status.IsInvalidArgument()) return Status::invalid_argument(status.ToString());
  if (status.IsNoSpace()) return Status::no_space(status.ToString());
  return Status::io_error(status.ToString());
}

class RocksDBCursor final : public Cursor {
 public:
  explicit RocksDBCursor(rocksdb::Iterator* iterator) : iterator_(iterator) {}

  bool valid() const override { return iterator_->Valid(); }
  Status status() const override { return to_status(iterator_->status()); }
  void seek_to_first() override { iterator_->SeekToFirst(); }
  void seek_to_last() override { iterator_->SeekToLast(); }
  void seek(std::string_view target) override { iterator_->Seek(to_slice(target)); }
  void next() override { iterator_->Next(); }
  void prev() override { iterator_->Prev(); }
  std::string_view key() const override { return to_view(iterator_->key()); }
  std::string_view value() const override { return to_view(iterator_->value()); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDBSession final : public Session {
 public:
  RocksDBSession(rocksdb::DB* db, bool sync) : db_(db) { write_options_.sync = sync; }

  Status put(std::string_view key, std::string_view value) override {
    add_put(key, value);
    return write_batch();
  }

  Status erase(std::string_view key) override {
    add_erase(key);
    return write_batch();
  }

  // WriteBatch's own limits (4 GiB) lie above what the tool's flags allow, so these cannot fail.
  void add_put(std::string_view key, std::string_view value) override {
    batch_.Put(to_slice(key), to_slice(value)).PermitUncheckedError();
  }
  void add_erase(std::string_view key) override { batch_.Delete(to_slice(key)).PermitUncheckedError(); }

  Status write_batch() override {
    const rocksdb::Status status = db_->Write(write_options_, &batch_);
    batch_.Clear();
    return to_status(status);
  }

  Status get(std::string_view key, std::string_view* value) override {
    value_.Reset();
    const rocksdb::Status status = db_->Get(read_options_, db_->DefaultColumnFamily(), to_slice(key), &value_);
    if (status.ok()) *value = to_view(value_);
    return to_status(status);
  }

  std::unique_ptr<Cursor> cursor() override { return std::make_unique<RocksDBCursor>(db_->NewIterator(read_options_)); }

 private:
  rocksdb::DB* const db_;
  rocksdb::WriteOptions write_options_;
  rocksdb::ReadOptions read_options_;
  rocksdb::WriteBatch batch_;
  rocksdb::PinnableSlice value_;
};

class RocksDBStore final : public Store {
 public:
  explicit RocksDBStore(rocksdb::DB* db) : db_(db) {}

  std::unique_ptr<Session> session(bool sync) override { return std::make_unique<RocksDBSession>(db_.get(), sync); }

 private:
  std::unique_ptr<rocksdb::DB> db_;
};

rocksdb::Options to_rocksdb_options(const StoreOptions& options) {
  rocksdb::Options result;
  result.write_buffer_size = options.write_buffer_size;
  result.max_write_buffer_number = options.max_write_buffers;
  result.enable_pipelined_write = true;
  result.compression = options.compression == Compression::kLZ4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_size);
  if (options.bloom_bits > 0) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(options.bloom_bits));
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return result;
}

Status open_rocksdb(const StoreOptions& options, const std::string& directory, bool create,
                    std::unique_ptr<Store>* store) {
  rocksdb::Options rocksdb_options = to_rocksdb_options(options);
  rocksdb_options.create_if_missing = create;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(rocksdb_options, directory, &db);
  if (!status.ok()) return to_status(status);
  *store = std::make_unique<RocksDBStore>(db);
  return Status::ok();
}

// A library built without NDEBUG calls __assert_fail, and so names it among its imports. Debian's package is one.
bool library_has_assertions() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&rocksdb::GetRocksVersionAsString), &info) == 0) return false;
  std::ifstream file(info.dli_fname, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return bytes.find("__assert_fail") != std::string::npos;
}

std::string version() {
  static const std::string kVersion =
      rocksdb::GetRocksVersionAsString() + (library_has_assertions() ? ", built with assertions" : "");
  return kVersion;
}

std::string describe(const StoreOptions& options) {
  const rocksdb::Options rocksdb_options = to_rocksdb_options(options);
  return std::string("enable_pipelined_write=") + (rocksdb_options.enable_pipelined_write ? "true" : "false") +
         " allow_concurrent_memtable_write=" + (rocksdb_options.allow_concurrent_memtable_write ? "true" : "false") +
         " write_buffer_size=" + std::to_string(rocksdb_options.write_buffer_size) +
         " max_write_buffer_number=" + std::to_string(rocksdb_options.max_write_buffer_number) +
         " memtable=" + rocksdb_options.memtable_factory->Name() +
         " block_cache=" + std::to_string(options.cache_size) + " bloom_bits=" + std::to_string(options.bloom_bits) +
         " compression=" + (options.compression == Compression::kLZ4 ? "lz4" : "none") + " disableWAL=false";
}

}  // namespace

EngineEntry rocksdb_engine() { return {"rocksdb", true, open_rocksdb, version, describe}; }

}  // namespace scree::bench
