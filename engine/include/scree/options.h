// SPDX-License-Identifier: Apache-2.0
//
// What a caller of the engine can choose. Every default is a sane one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <scree/durability.h>

namespace scree {

class FileSystem;
class Snapshot;

enum class IndexKind : std::uint8_t {
  kTree = 1,  // ordered: point operations, range scans both ways
  kHash = 2,  // unordered: faster point operations; a scan is consistent, its order unspecified
};

enum class Compression : std::uint8_t { kNone = 0, kLZ4 = 1 };

struct Options {
  bool create_if_missing = true;
  bool error_if_exists = false;

  // Bytes of keys, values and their bookkeeping in memory at which the memtables are frozen and flushed.
  std::size_t memtable_bytes = 64u << 20;
  // Bytes that all memtables together may hold; writers wait for a flush above it. At least
  // `memtable_bytes`.
  std::size_t memory_budget = 256u << 20;

  // Bytes of a log segment; 64 KiB to 4 GiB. A larger batch gets a segment of its own.
  std::size_t wal_segment_bytes = 64u << 20;
  RecoveryMode recovery_mode = RecoveryMode::kPointInTimeRecovery;

  // Tables flushed to RocksDB.
  Compression compression = Compression::kLZ4;
  int bloom_bits = 10;                      // per key; 0 for no filter
  std::size_t block_cache_bytes = 32u << 20;
};

struct WriteOptions {
  Durability durability = Durability::kProcess;
};

struct ReadOptions {
  // Null: the newest visible state (for an iterator: as of its creation).
  const Snapshot* snapshot = nullptr;
};

// [lower, upper): bounds of an iterator in key order; an absent bound is unbounded.
struct IteratorOptions {
  const Snapshot* snapshot = nullptr;
  const std::string* lower_bound = nullptr;  // inclusive; copied
  const std::string* upper_bound = nullptr;  // exclusive; copied
};

// The largest key. Values are bounded by kMaxValueBytes, batches by kMaxBatchBytes.
inline constexpr std::size_t kMaxKeyBytes = 64u << 10;
inline constexpr std::size_t kMaxValueBytes = 256u << 20;
inline constexpr std::size_t kMaxBatchBytes = 1u << 30;

}  // namespace scree
