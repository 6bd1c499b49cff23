// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/sst_file_writer.h>

#include "store_compactions.h"
#include "store_rocksdb.h"
#include "store_value.h"

namespace scree::detail {

namespace {

// Ingestion ignores RocksDB's own stalls, so a flush waits here while a family has this many tables in level 0, which
// every read has to look into. The wait is bounded: nothing but speed is at stake.
constexpr int kMaxLevel0Files = 20;
constexpr std::chrono::seconds kLongestWait{10};

rocksdb::IngestExternalFileOptions ingest_options() {
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.failed_move_fall_back_to_copy = true;
  options.write_global_seqno = false;
  options.allow_blocking_flush = false;
  options.snapshot_consistency = true;
  return options;
}

int level0_files(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* handle) {
  std::string count;
  return db->GetProperty(handle, "rocksdb.num-files-at-level0", &count) ? std::atoi(count.c_str()) : 0;
}

struct StagedFile {
  std::uint32_t family = 0;
  std::string path;
};

}  // namespace

struct FlushWriter::Rep {
  explicit Rep(std::shared_ptr<Store::Rep> store_) : store(std::move(store_)) {}

  ~Rep() {
    writer.reset();
    // A file that was ingested is gone from here already; one that cannot be removed goes at the next open.
    for (const std::string& path : paths) static_cast<void>(store->database->options.env->DeleteFile(path));
  }

  rocksdb::Status open_file(rocksdb::SstFileWriter* file, std::string* path) {
    {
      std::lock_guard lock(store->mutex);
      *path = store->database->staging + "/" + std::to_string(store->next_staged_file++) + ".sst";
    }
    paths.push_back(*path);
    return file->Open(*path);
  }

  std::unique_ptr<rocksdb::SstFileWriter> make_writer() const {
    // The pages stay cached: reads of what was just flushed are the likeliest ones.
    return std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), store->database->options, nullptr,
                                                    /*invalidate_page_cache=*/false);
  }

  // Opens the current family's file before its first entry.
  Status prepare_entry() {
    if (writer != nullptr) return Status::ok();
    if (!begun) return Status::invalid_argument("flush: an entry without a family");
    if (Status status = store->ensure_family(family); !status.is_ok()) return status;
    auto file = make_writer();
    std::string path;
    const rocksdb::Status done = open_file(file.get(), &path);
    if (!done.ok()) return from_rocksdb(done, "flush of family " + family_name(family));
    staged.push_back({family, std::move(path)});
    writer = std::move(file);
    return Status::ok();
  }

  void wait_for_room() const;

  std::shared_ptr<Store::Rep> store;
  std::vector<std::string> paths;  // every file ever staged
  std::vector<StagedFile> staged;
  std::vector<std::uint32_t> seen;
  std::unique_ptr<rocksdb::SstFileWriter> writer;  // null until the current family has an entry
  std::uint32_t family = 0;
  bool begun = false;
  bool committed = false;
  std::string buffer;
};

FlushWriter::FlushWriter(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
FlushWriter::~FlushWriter() = default;

Status Store::new_flush(std::unique_ptr<FlushWriter>* flush) {
  flush->reset(new FlushWriter(std::make_unique<FlushWriter::Rep>(rep_)));
  return Status::ok();
}

Status FlushWriter::begin_family(std::uint32_t id) {
  if (Status status = finish_family(); !status.is_ok()) return status;
  if (std::find(rep_->seen.begin(), rep_->seen.end(), id) != rep_->seen.end()) {
    return Status::invalid_argument("flush: family " + family_name(id) + " comes twice");
  }
  rep_->seen.push_back(id);
  rep_->family = id;
  rep_->begun = true;
  return Status::ok();
}

Status FlushWriter::put(std::string_view key, std::uint64_t sequence, std::string_view value) {
  rep_->buffer.clear();
  append_value_header(&rep_->buffer, sequence);
  rep_->buffer.append(value);
  if (Status status = put_stored(key, rep_->buffer); !status.is_ok()) return status;
  ++entries_;
  bytes_ += key.size() + value.size();
  return Status::ok();
}

Status FlushWriter::put_stored(std::string_view key, std::string_view stored) {
  if (rep_->writer == nullptr) {
    if (Status status = rep_->prepare_entry(); !status.is_ok()) return status;
  }
  const rocksdb::Status done = rep_->writer->Put(to_slice(key), to_slice(stored));
  if (!done.ok()) return from_rocksdb(done, "flush of family " + family_name(rep_->family));
  return Status::ok();
}

Status FlushWriter::erase(std::string_view key) {
  if (rep_->writer == nullptr) {
    if (Status status = rep_->prepare_entry(); !status.is_ok()) return status;
  }
  const rocksdb::Status done = rep_->writer->Delete(to_slice(key));
  if (!done.ok()) return from_rocksdb(done, "flush of family " + family_name(rep_->family));
  ++entries_;
  bytes_ += key.size();
  return Status::ok();
}

Status FlushWriter::finish_family() {
  if (rep_->writer == nullptr) return Status::ok();
  const rocksdb::Status done = rep_->writer->Finish();
  rep_->writer.reset();
  return from_rocksdb(done, "flush of family " + family_name(rep_->family));
}

void FlushWriter::Rep::wait_for_room() const {
  CompactionListener& compactions = *store->database->compactions;
  std::shared_ptr<const FamilySet> families;
  {
    std::lock_guard lock(store->mutex);
    families = store->families;
  }
  const auto deadline = std::chrono::steady_clock::now() + kLongestWait;
  for (const StagedFile& file : staged) {
    const FamilyEntry* entry = families->find(file.family);
    if (entry == nullptr) continue;
    while (true) {
      const std::uint64_t events = compactions.events();
      if (level0_files(store->database->db.get(), entry->family->handle) < kMaxLevel0Files) break;
      if (compactions.failed() || !compactions.wait_past(events, deadline)) return;
    }
  }
}

Status FlushWriter::commit(const StoreMetadata& metadata) { return commit_record(metadata, encode_metadata(metadata)); }

Status FlushWriter::commit_record(const StoreMetadata& metadata, std::string_view record) {
  if (rep_->committed) return Status::invalid_argument("flush: committed already");
  rep_->committed = true;
  if (Status status = finish_family(); !status.is_ok()) return status;

  auto file = rep_->make_writer();
  std::string metadata_path;
  rocksdb::Status done = rep_->open_file(file.get(), &metadata_path);
  if (done.ok()) done = file->Put(to_slice(kMetadataKey), to_slice(record));
  if (done.ok()) done = file->Finish();
  if (!done.ok()) return from_rocksdb(done, "flush of the metadata");

  rep_->wait_for_room();
  Store::Rep& store = *rep_->store;
  rocksdb::DB* db = store.database->db.get();
  std::lock_guard lock(store.mutex);
  // An earlier failure (a full disk, mostly) may have made RocksDB read-only. Whether it is over shows below.
  if (store.database->compactions->take_failure()) static_cast<void>(db->Resume());

  std::vector<rocksdb::IngestExternalFileArg> arguments;
  const auto add = [&](const Family& family, const std::string& path) {
    rocksdb::IngestExternalFileArg& argument = arguments.emplace_back();
    argument.column_family = family.handle;
    argument.external_files = {path};
    argument.options = ingest_options();
  };
  std::shared_ptr<const FamilySet> families = store.families;
  for (const StagedFile& staged : rep_->staged) {
    const FamilyEntry* entry = families->find(staged.family);
    if (entry == nullptr) continue;  // dropped meanwhile
    add(*entry->family, staged.path);
    if (!entry->has_data) families = families->with({entry->id, true, entry->family});
  }
  add(*store.metadata_family, metadata_path);

  done = db->IngestExternalFiles(arguments);
  if (!done.ok()) {
    // Makes RocksDB start a new MANIFEST if the old one's end is in doubt, and only then has it an effect.
    if (done.IsIOError()) static_cast<void>(db->Resume());
    return from_rocksdb(done, "ingest into " + store.database->directory);
  }
  store.families = std::move(families);
  store.metadata = metadata;
  return Status::ok();
}

}  // namespace scree::detail
