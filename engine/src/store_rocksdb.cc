// SPDX-License-Identifier: Apache-2.0

#include "store_rocksdb.h"

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <scree/coding.h>

namespace scree::detail {

namespace {

constexpr std::string_view kFamilyPrefix = "index-";
constexpr std::size_t kFamilyDigits = 10;
constexpr std::uint8_t kMetadataVersion = 1;

// RocksDB's own log file ends the process when the disk is full, in builds with assertions. What it says of failures
// reaches us as statuses anyway.
class SilentLogger : public rocksdb::Logger {
 public:
  SilentLogger() : rocksdb::Logger(rocksdb::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// Keys printed in messages: what is not printable ASCII as \xNN, the rest of a long key as dots.
std::string printable(std::string_view key) {
  constexpr std::size_t kShown = 64;
  std::string out;
  for (const char c : key.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      out += c;
      continue;
    }
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    out += escaped;
  }
  if (key.size() > kShown) out += "...";
  return out;
}

}  // namespace

Status from_rocksdb(const rocksdb::Status& status, std::string_view context) {
  if (status.ok()) return Status::ok();
  std::string message(context);
  message += ": ";
  message += status.ToString();
  switch (status.code()) {
    case rocksdb::Status::kNotFound:
    case rocksdb::Status::kColumnFamilyDropped:
      return Status::not_found(std::move(message));
    case rocksdb::Status::kCorruption:
      return Status::corruption(std::move(message));
    case rocksdb::Status::kNotSupported:
      return Status::not_supported(std::move(message));
    case rocksdb::Status::kInvalidArgument:
      return Status::invalid_argument(std::move(message));
    case rocksdb::Status::kIncomplete:
      return Status::incomplete(std::move(message));
    case rocksdb::Status::kShutdownInProgress:
      return Status::shutdown_in_progress(std::move(message));
    case rocksdb::Status::kTimedOut:
      return Status::timed_out(std::move(message));
    case rocksdb::Status::kAborted:
      return status.IsMemoryLimit() ? Status::memory_limit(std::move(message)) : Status::aborted(std::move(message));
    case rocksdb::Status::kBusy:
      return Status::busy(std::move(message));
    case rocksdb::Status::kTryAgain:
      return Status::try_again(std::move(message));
    default:
      return status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit
                 ? Status::no_space(std::move(message))
                 : Status::io_error(std::move(message));
  }
}

std::string family_name(std::uint32_t id) {
  char name[kFamilyPrefix.size() + kFamilyDigits + 1];
  std::snprintf(name, sizeof name, "index-%010u", static_cast<unsigned>(id));
  return name;
}

bool parse_family_name(std::string_view name, std::uint32_t* id) {
  if (name.size() != kFamilyPrefix.size() + kFamilyDigits || !name.starts_with(kFamilyPrefix)) return false;
  name.remove_prefix(kFamilyPrefix.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), *id);
  return error == std::errc() && end == name.data() + name.size();
}

Status damaged_value(std::uint32_t family, std::string_view key) {
  return Status::corruption("family " + family_name(family) + ": the value of key '" + printable(key) +
                            "' has a damaged header");
}

rocksdb::Options make_rocksdb_options(const StoreOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.format_version = 5;
  if (options.bloom_bits > 0) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(options.bloom_bits, false));

  rocksdb::Options result;
  result.create_if_missing = true;
  result.create_missing_column_families = true;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  result.compression = options.compression == Compression::kLZ4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  result.compaction_style = rocksdb::kCompactionStyleLevel;
  result.level_compaction_dynamic_level_bytes = true;

  // The memtables stay empty: the smallest buffers, and no flush on the way out.
  result.write_buffer_size = 64u << 10;
  result.avoid_flush_during_shutdown = true;
  result.avoid_flush_during_recovery = true;

  // RocksDB keeps the readers of the first quarter of these open for ever, which is its fast path.
  result.max_open_files = 512;

  result.info_log = std::make_shared<SilentLogger>();
  result.stats_dump_period_sec = 0;
  result.stats_persist_period_sec = 0;
  return result;
}

Family::~Family() {
  // Fails for null and for the default family only.
  static_cast<void>(database->db->DestroyColumnFamilyHandle(handle));
}

const FamilyEntry* FamilySet::find(std::uint32_t id) const noexcept {
  const auto at = std::lower_bound(entries.begin(), entries.end(), id,
                                   [](const FamilyEntry& entry, std::uint32_t wanted) { return entry.id < wanted; });
  return at != entries.end() && at->id == id ? &*at : nullptr;
}

std::shared_ptr<const FamilySet> FamilySet::with(const FamilyEntry& entry) const {
  auto result = std::make_shared<FamilySet>();
  result->entries.reserve(entries.size() + 1);
  for (const FamilyEntry& old : entries) {
    if (old.id < entry.id) result->entries.push_back(old);
  }
  result->entries.push_back(entry);
  for (const FamilyEntry& old : entries) {
    if (old.id > entry.id) result->entries.push_back(old);
  }
  return result;
}

std::shared_ptr<const FamilySet> FamilySet::without(std::uint32_t id) const {
  auto result = std::make_shared<FamilySet>();
  for (const FamilyEntry& old : entries) {
    if (old.id != id) result->entries.push_back(old);
  }
  return result;
}

std::string encode_metadata(const StoreMetadata& metadata) {
  std::string record(1, static_cast<char>(kMetadataVersion));
  put_varint64(&record, metadata.flushed_to);
  record += metadata.catalogue;
  return record;
}

bool decode_metadata(std::string_view record, StoreMetadata* metadata) {
  if (record.empty() || static_cast<std::uint8_t>(record.front()) != kMetadataVersion) return false;
  record.remove_prefix(1);
  if (!get_varint64(&record, &metadata->flushed_to)) return false;
  metadata->catalogue = record;
  return true;
}

}  // namespace scree::detail
