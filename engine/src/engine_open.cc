// SPDX-License-Identifier: Apache-2.0
//
// Opening, recovery, closing. Protocol: docs/protocols/recovery.md, section "In the engine".

#include <algorithm>
#include <random>
#include <utility>

#include <scree/checksum.h>
#include <scree/coding.h>
#include <scree/log_reader.h>

#include "batch_format.h"
#include "engine_core.h"
#include "engine_guards.h"

namespace scree {

using detail::CommitOperation;
using detail::Operation;
using detail::OperationType;

namespace {

constexpr std::string_view kIdentityMagic = "SCREESTO";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kIdentityBytes = 8 + 4 + 8 + 8;

std::uint64_t next_instance() {
  static Atomic<std::uint64_t> count{0};
  return count.fetch_add(1, memory_order_relaxed) + 1;
}

Status validate(const Options& options) {
  const auto refuse = [](const char* what, auto value) {
    return Status::invalid_argument(std::string("options: ") + what + " is " + std::to_string(value));
  };
  if (options.memtable_bytes == 0) return refuse("memtable_bytes", options.memtable_bytes);
  if (options.memory_budget < options.memtable_bytes) {
    return refuse("memory_budget, less than memtable_bytes,", options.memory_budget);
  }
  if (options.wal_segment_bytes < (64u << 10) || options.wal_segment_bytes > (std::uint64_t{4} << 30)) {
    return refuse("wal_segment_bytes, not 64 KiB to 4 GiB,", options.wal_segment_bytes);
  }
  if (options.recovery_mode > RecoveryMode::kPointInTimeRecovery) {
    return refuse("recovery_mode", static_cast<int>(options.recovery_mode));
  }
  if (options.compression > Compression::kLZ4) return refuse("compression", static_cast<int>(options.compression));
  if (options.bloom_bits < 0 || options.bloom_bits > 64) return refuse("bloom_bits", options.bloom_bits);
  return {};
}

}  // namespace

EngineCore::EngineCore(const Options& options, std::string path)
    : options_(options),
      path_(std::move(path)),
      instance_(next_instance()),
      file_system_(posix_file_system()),
      memory_(std::make_shared<detail::MemoryGauge>()),
      catalogue_(instance_) {}

EngineCore::~EngineCore() { release(); }

Status EngineCore::open() {
  if (Status status = validate(options_); !status.is_ok()) return status;
  if (Status status = open_directory(); !status.is_ok()) return status;
  const detail::StoreOptions table_options{options_.compression, options_.bloom_bits, options_.block_cache_bytes};
  if (Status status = detail::Store::open(table_options, path_ + "/db", &tables_); !status.is_ok()) return status;

  auto generation = std::make_shared<Generation>(clock_, memory_);
  LogTail tail;
  if (Status status = recover(*generation, &tail); !status.is_ok()) return status;
  LogOptions log_options;
  log_options.file_system = file_system_;
  log_options.directory = path_ + "/wal";
  log_options.log_id = store_id_;
  log_options.segment_bytes = options_.wal_segment_bytes;
  log_options.on_segment_switch = [this](Position next_begin) { on_segment_switch(next_begin); };
  if (Status status = Log::open(std::move(log_options), tail, &log_); !status.is_ok()) return status;
  clock_.start_at(log_->start());

  // What was created or dropped since the last flush is known; any other family is left from a drop.
  for (const std::uint32_t family : tables_->families()) {
    if (catalogue_.find(family) != nullptr || family >= catalogue_.next_id()) continue;
    const auto living = catalogue_.ids(flushed_to_);
    if (std::binary_search(living.begin(), living.end(), family)) continue;
    if (Status status = tables_->drop_family(family); !status.is_ok()) return status;
  }
  versions_.swap(make_version_set({std::move(generation)}), ebr::Tag::kNone, memory_order_release);
  pipeline_ = std::make_unique<detail::CommitPipeline>(detail::CommitEnvironment{*log_, clock_, versions_});
  background_ = std::thread([this] { run_background(); });
  return {};
}

// The directory is ours, locked, and has an identity.
Status EngineCore::open_directory() {
  if (path_.empty()) return Status::invalid_argument("the path of a store is empty");
  PathKind kind = PathKind::kMissing;
  if (Status status = file_system_->kind(path_, &kind); !status.is_ok()) return status;
  if (kind == PathKind::kFile || kind == PathKind::kOther) {
    return Status::invalid_argument(path_ + ": not a directory");
  }
  if (kind == PathKind::kMissing) {
    if (!options_.create_if_missing) return Status::not_found(path_ + ": no store there, and none is to be created");
    if (Status status = file_system_->create_directory(path_); !status.is_ok()) return status;
  }
  // Before the lock file is made, so that a directory of something else is left as it was.
  std::vector<std::string> names;
  if (Status status = file_system_->list(path_, &names); !status.is_ok()) return status;
  const bool identified = std::find(names.begin(), names.end(), "STORE") != names.end();
  if (!identified) {
    std::erase(names, "LOCK");
    std::erase(names, "STORE.tmp");
    if (!names.empty()) {
      return Status::invalid_argument(path_ + ": not a store: it has \"" + names.front() + "\" but no STORE file");
    }
    if (!options_.create_if_missing) return Status::not_found(path_ + ": no store there, and none is to be created");
  } else if (options_.error_if_exists) {
    return Status::invalid_argument(path_ + ": there is a store already");
  }
  if (Status status = file_system_->lock(path_ + "/LOCK", &lock_); !status.is_ok()) return status;
  if (Status status = open_identity(); !status.is_ok()) return status;
  for (const char* name : {"/wal", "/db"}) {
    if (Status status = file_system_->create_directory(path_ + name); !status.is_ok()) return status;
  }
  return file_system_->sync_directory(path_);
}

// engine/FORMAT.md, section "Identity".
Status EngineCore::open_identity() {
  const std::string path = path_ + "/STORE";
  PathKind kind = PathKind::kMissing;
  if (Status status = file_system_->kind(path, &kind); !status.is_ok()) return status;
  if (kind == PathKind::kMissing) {
    std::random_device random;
    do {
      store_id_ = (std::uint64_t{random()} << 32) | random();
    } while (store_id_ == 0);
    std::string identity(kIdentityMagic);
    put_fixed32(&identity, kFormatVersion);
    put_fixed64(&identity, store_id_);
    put_fixed64(&identity, checksum64(identity, 0));
    return replace_file(file_system_, path, identity);
  }
  std::string identity;
  if (Status status = read_file(file_system_, path, 4096, &identity); !status.is_ok()) return status;
  std::string_view rest = identity;
  std::uint32_t version = 0;
  std::uint64_t checksum = 0;
  if (!rest.starts_with(kIdentityMagic)) return Status::corruption(path + ": not the identity of a store");
  rest.remove_prefix(kIdentityMagic.size());
  if (!get_fixed32(&rest, &version)) return Status::corruption(path + ": cut");
  if (version != kFormatVersion) {
    return Status::not_supported(path + ": format version " + std::to_string(version) + ", this is version " +
                                 std::to_string(kFormatVersion));
  }
  if (identity.size() != kIdentityBytes || !get_fixed64(&rest, &store_id_) || !get_fixed64(&rest, &checksum) ||
      checksum != checksum64(std::string_view(identity).substr(0, kIdentityBytes - 8), 0)) {
    return Status::corruption(path + ": damaged");
  }
  return {};
}

// Everything up to what the tables say was flushed is there; the log has the rest.
Status EngineCore::recover(Generation& generation, LogTail* tail) {
  const detail::StoreMetadata metadata = tables_->metadata();
  if (!metadata.catalogue.empty()) {
    if (Status status = catalogue_.decode(metadata.catalogue); !status.is_ok()) return status.with_context(path_);
  }
  flushed_to_ = metadata.flushed_to;
  generation.set_begin(flushed_to_);

  ReplayOptions options;
  options.file_system = file_system_;
  options.directory = path_ + "/wal";
  options.log_id = store_id_;
  options.from = flushed_to_;
  options.mode = options_.recovery_mode;
  ReplayReport replayed;
  Status status = replay(
      options,
      [&](Position, Position end, std::string_view payload) { return replay_record(end, payload, generation); },
      &replayed);
  if (!status.is_ok()) return status;
  report_.records_replayed = replayed.records;
  report_.bytes_replayed = replayed.bytes;
  report_.recovered_to = std::max(replayed.tail.recovered_to, flushed_to_);
  report_.bytes_dropped = replayed.dropped_bytes;
  report_.damage = replayed.damage;
  *tail = replayed.tail;
  return {};
}

Status EngineCore::replay_record(Position end, std::string_view payload, Generation& generation) {
  std::vector<CommitOperation> operations;
  while (!payload.empty()) {
    Operation operation;
    if (Status status = detail::decode_operation(&payload, &operation); !status.is_ok()) {
      return status.with_context(path_ + ": log record that ends at " + std::to_string(end));
    }
    const std::shared_ptr<IndexState> state = catalogue_.find(operation.index);
    switch (operation.type) {
      case OperationType::kCreateIndex: {
        Status status = catalogue_.add(operation.index, operation.kind, operation.key, end, nullptr);
        if (!status.is_ok()) return status.with_context(path_);
        catalogue_changed_at_.store(end, memory_order_relaxed);
        break;
      }
      case OperationType::kDropIndex:
        if (state != nullptr) catalogue_.drop(state, end);
        catalogue_changed_at_.store(end, memory_order_relaxed);
        break;
      case OperationType::kPut:
      case OperationType::kErase:
        // A write may follow the drop of its index in the log when they ran at once.
        if (state == nullptr) break;
        operations.push_back({operation.index, state->kind, operation.type == OperationType::kErase, operation.key,
                              operation.value});
        break;
    }
  }
  return detail::apply_recovered(operations, end, generation);
}

Status EngineCore::close() {
  std::int64_t readers = 0;
  if (!readers_.compare_exchange_strong(readers, OperationGuard::kClosed, memory_order_acq_rel)) {
    if (readers < 0) return {};  // closed before
    return Status::busy(std::to_string(readers) + " iterators or snapshots are open");
  }
  OperationGuard::close(writes_in_flight_);
  Status status = log_->sync();
  release();
  return status;
}

// Also of what was opened in part.
void EngineCore::release() {
  stop_background();
  if (ebr::Arc<VersionSet> last = versions_.swap({}, ebr::Tag::kNone, memory_order_acq_rel).first) {
    OperationGuard::close(reads_in_flight_);
    for (const auto& handle : tables_handles_) {
      if (const auto tables = handle.lock()) tables->close();
    }
  }
  pipeline_.reset();
  log_.reset();
  tables_.reset();
  lock_.reset();
}

}  // namespace scree
