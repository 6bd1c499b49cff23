// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <scree/log.h>
#include <scree/log_reader.h>
#include <scree/memory_file_system.h>

namespace scree::test {

inline constexpr std::uint64_t kLogId = 0x5c4ee5c4ee;
inline const std::string kLogDirectory = "/log";

struct Delivered {
  Position begin;
  Position end;
  std::string payload;
};

struct Replayed {
  Status status;
  ReplayReport report;
  std::vector<Delivered> records;
};

inline Replayed replay_all(FileSystem* file_system, const std::string& directory = kLogDirectory, Position from = 0,
                           RecoveryMode mode = RecoveryMode::kPointInTimeRecovery, std::uint64_t log_id = kLogId) {
  Replayed result;
  ReplayOptions options;
  options.file_system = file_system;
  options.directory = directory;
  options.log_id = log_id;
  options.from = from;
  options.mode = mode;
  result.status = replay(
      options,
      [&](Position begin, Position end, std::string_view payload) {
        result.records.push_back({begin, end, std::string(payload)});
        return Status();
      },
      &result.report);
  return result;
}

inline LogOptions log_options(FileSystem* file_system, std::size_t segment_bytes = 512,
                              const std::string& directory = kLogDirectory, std::uint64_t log_id = kLogId) {
  LogOptions options;
  options.file_system = file_system;
  options.directory = directory;
  options.log_id = log_id;
  options.segment_bytes = segment_bytes;
  return options;
}

inline Status append(Log& log, std::string_view payload, Reservation* reservation) {
  const std::string_view pieces[] = {payload};
  return log.append(pieces, reservation);
}

inline std::unique_ptr<MemoryFileSystem> fresh_file_system() {
  auto file_system = std::make_unique<MemoryFileSystem>();
  const bool made = file_system->create_directory(kLogDirectory).is_ok() && file_system->sync_directory("/").is_ok();
  return made ? std::move(file_system) : nullptr;
}

}  // namespace scree::test
