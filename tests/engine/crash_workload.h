// SPDX-License-Identifier: Apache-2.0
//
// What a writer that will be killed does, so that writer and checker agree on it: each of its threads has its own keys,
// and its n-th operation is always the same.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <scree/options.h>

namespace scree::test {

inline constexpr int kCrashThreads = 3;
inline constexpr int kCrashIndexes = 3;
inline constexpr const char* kCrashIndexNames[kCrashIndexes] = {"tree", "hash", "single"};
inline constexpr IndexKind kCrashIndexKinds[kCrashIndexes] = {IndexKind::kTree, IndexKind::kHash, IndexKind::kTree};

struct CrashWrite {
  int index = 0;
  std::string key;
  std::optional<std::string> value;  // none: erase
};

inline std::string crash_key_prefix(int thread) { return std::to_string(thread) + "/"; }

// One write to the third index, or a batch of which every part goes to the first and to the second index alike.
inline std::vector<CrashWrite> crash_operation(int thread, std::uint64_t n) {
  std::uint64_t random = (n * kCrashThreads + static_cast<std::uint64_t>(thread)) * 0x9E3779B97F4A7C15u + 1;
  const auto draw = [&random](std::uint64_t below) {
    random ^= random >> 31;
    random *= 0xD6E8FEB86659FD93u;
    random ^= random >> 29;
    return random % below;
  };
  std::vector<CrashWrite> writes;
  const bool single = draw(3) == 0;
  const std::uint64_t parts = single ? 1 : 1 + draw(4);
  for (std::uint64_t part = 0; part < parts; ++part) {
    CrashWrite write{2, crash_key_prefix(thread) + std::to_string(draw(40)), std::nullopt};
    if (draw(5) != 0) write.value = std::to_string(n) + std::string(draw(150), '.');
    if (!single) {
      write.index = 0;
      writes.push_back(write);
      write.index = 1;
    }
    writes.push_back(std::move(write));
  }
  return writes;
}

// What the writer says through its pipe once an operation is acknowledged.
struct CrashAcknowledgement {
  std::uint64_t thread = 0;
  std::uint64_t n = 0;
};

enum class CrashWriterMode {
  kRight = 0,
  kBuffered = 1,  // broken: says that writes are safe which may be lost with the process
  kInParts = 2,   // broken: makes of each batch several writes
};

inline Options crash_options() {
  Options options;
  options.memtable_bytes = 8u << 10;
  options.memory_budget = 64u << 10;
  options.wal_segment_bytes = 64u << 10;
  return options;
}

}  // namespace scree::test
