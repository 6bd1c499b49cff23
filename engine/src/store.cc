// SPDX-License-Identifier: Apache-2.0

#include "store.h"

#include <filesystem>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/metadata.h>

#include "store_compactions.h"
#include "store_rocksdb.h"

namespace scree::detail {

namespace {

constexpr const char* kMetadataFamily = "metadata";
constexpr const char* kStagingDirectory = "staging";

// A directory that exists when this returns, its name in its parent made durable.
rocksdb::Status make_directory(rocksdb::Env* env, const std::string& path) {
  rocksdb::Status status = env->CreateDirIfMissing(path);
  if (!status.ok()) return status;
  std::string parent = std::filesystem::path(path).parent_path().string();
  if (parent.empty()) parent = ".";
  std::unique_ptr<rocksdb::Directory> handle;
  status = env->NewDirectory(parent, &handle);
  return status.ok() ? handle->Fsync() : status;
}

rocksdb::Status empty_directory(rocksdb::Env* env, const std::string& path) {
  std::vector<std::string> names;
  rocksdb::Status status = env->GetChildren(path, &names);
  for (const std::string& name : names) {
    if (!status.ok()) break;
    if (name != "." && name != "..") status = env->DeleteFile(path + "/" + name);
  }
  return status;
}

// The families to open. For a new database these are the two that always exist. A directory that has tables but no
// CURRENT was a database once: creating a new one over it would delete them.
Status list_families(const Database& database, std::vector<std::string>* names) {
  rocksdb::Env* env = database.options.env;
  const rocksdb::Status current = env->FileExists(database.directory + "/CURRENT");
  if (current.ok()) {
    const rocksdb::Status status = rocksdb::DB::ListColumnFamilies(database.options, database.directory, names);
    if (!status.ok()) return from_rocksdb(status, database.directory);
  } else if (!current.IsNotFound()) {
    return from_rocksdb(current, database.directory + "/CURRENT");
  } else {
    std::vector<std::string> files;
    const rocksdb::Status status = env->GetChildren(database.directory, &files);
    if (!status.ok()) return from_rocksdb(status, database.directory);
    for (const std::string& file : files) {
      if (file.ends_with(".sst")) {
        return Status::corruption(database.directory + ": CURRENT is missing, but there is the table " + file);
      }
    }
    names->push_back(rocksdb::kDefaultColumnFamilyName);
  }
  bool has_metadata = false;
  for (const std::string& name : *names) {
    std::uint32_t id = 0;
    if (name == kMetadataFamily) {
      has_metadata = true;
    } else if (name != rocksdb::kDefaultColumnFamilyName && !parse_family_name(name, &id)) {
      return Status::corruption(database.directory + ": unknown family '" + name + "'");
    }
  }
  // Missing also after a crash between the creation of the database and of the family.
  if (!has_metadata) names->push_back(kMetadataFamily);
  return Status::ok();
}

bool has_tables(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* handle) {
  rocksdb::ColumnFamilyMetaData metadata;
  db->GetColumnFamilyMetaData(handle, &metadata);
  return metadata.file_count > 0;
}

}  // namespace

Store::Store(std::shared_ptr<Rep> rep) : rep_(std::move(rep)) {}
Store::~Store() = default;

Status Store::open(const StoreOptions& options, const std::string& directory, std::unique_ptr<Store>* store) {
  auto database = std::make_shared<Database>();
  database->directory = directory;
  database->staging = directory + "/" + kStagingDirectory;
  database->options = make_rocksdb_options(options);
  database->compactions = std::make_shared<CompactionListener>();
  database->options.listeners.push_back(database->compactions);
  rocksdb::Env* env = database->options.env;

  rocksdb::Status done = make_directory(env, directory);
  if (!done.ok()) return from_rocksdb(done, directory);
  done = env->CreateDirIfMissing(database->staging);
  if (done.ok()) done = empty_directory(env, database->staging);
  if (!done.ok()) return from_rocksdb(done, database->staging);

  std::vector<std::string> names;
  if (Status status = list_families(*database, &names); !status.is_ok()) return status;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, database->options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  done = rocksdb::DB::Open(database->options, directory, descriptors, &handles, &db);
  if (!done.ok()) return from_rocksdb(done, directory);
  database->db.reset(db);

  auto rep = std::make_shared<Rep>();
  rep->database = database;
  auto families = std::make_shared<FamilySet>();
  rep->families = families;
  std::shared_ptr<const Family> default_family;  // always there, never used; its handle has to go before the database
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto family = std::make_shared<const Family>(database, handles[i]);
    FamilyEntry entry;
    if (parse_family_name(names[i], &entry.id)) {
      entry.has_data = has_tables(db, handles[i]);
      entry.family = std::move(family);
      rep->families = rep->families->with(entry);
    } else if (names[i] == kMetadataFamily) {
      rep->metadata_family = std::move(family);
    } else {
      default_family = std::move(family);
    }
  }

  std::string record;
  done = db->Get(rocksdb::ReadOptions(), rep->metadata_family->handle, to_slice(kMetadataKey), &record);
  if (done.IsNotFound()) {
    for (const FamilyEntry& entry : rep->families->entries) {
      if (entry.has_data) {
        return Status::corruption(directory + ": family " + family_name(entry.id) +
                                  " has tables, but there is no metadata record");
      }
    }
  } else if (!done.ok()) {
    return from_rocksdb(done, directory + ": metadata");
  } else if (!decode_metadata(record, &rep->metadata)) {
    return Status::corruption(directory + ": the metadata record does not parse");
  }
  store->reset(new Store(std::move(rep)));
  return Status::ok();
}

StoreMetadata Store::metadata() const {
  std::lock_guard lock(rep_->mutex);
  return rep_->metadata;
}

std::vector<std::uint32_t> Store::families() const {
  std::lock_guard lock(rep_->mutex);
  std::vector<std::uint32_t> ids;
  for (const FamilyEntry& entry : rep_->families->entries) ids.push_back(entry.id);
  return ids;
}

Status Store::drop_family(std::uint32_t id) {
  std::lock_guard lock(rep_->mutex);
  const FamilyEntry* entry = rep_->families->find(id);
  if (entry == nullptr) return Status::ok();
  const rocksdb::Status done = rep_->database->db->DropColumnFamily(entry->family->handle);
  if (!done.ok()) return from_rocksdb(done, "drop of family " + family_name(id));
  rep_->families = rep_->families->without(id);
  return Status::ok();
}

Status Store::Rep::ensure_family(std::uint32_t id) {
  std::lock_guard lock(mutex);
  if (families->find(id) != nullptr) return Status::ok();
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const rocksdb::Status done = database->db->CreateColumnFamily(database->options, family_name(id), &handle);
  if (!done.ok()) return from_rocksdb(done, "creation of family " + family_name(id));
  families = families->with({id, false, std::make_shared<const Family>(database, handle)});
  return Status::ok();
}

}  // namespace scree::detail
