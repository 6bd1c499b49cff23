// SPDX-License-Identifier: Apache-2.0
//
// Reading a log back after a crash or a close. Never changes a file.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <scree/durability.h>
#include <scree/file.h>
#include <scree/log.h>
#include <scree/status.h>

namespace scree {

struct ReplayOptions {
  FileSystem* file_system = nullptr;
  std::string directory;
  std::uint64_t log_id = 0;
  // Everything up to here is kept elsewhere: the end of a reservation, or 0. Damage below it is of no concern.
  Position from = 0;
  RecoveryMode mode = RecoveryMode::kPointInTimeRecovery;
};

struct ReplayReport {
  std::uint64_t records = 0;          // delivered
  std::uint64_t bytes = 0;            // of their payloads
  std::uint64_t dropped_bytes = 0;    // of the files, from the stop on to the last byte that is not zero
  std::uint64_t segments = 0;         // files of the log, whatever their state
  Status damage;                      // OK, or what ended the replay and where: file, offset, reason
  bool damage_is_corruption = false;  // it lies below what was once known to be durable; otherwise a torn tail
  LogTail tail;                       // for the next incarnation
};

// Delivers each whole record that ends above `from`, in order, up to the first damage. What damage means for the
// result is the mode's: see wal/FORMAT.md. With a failure, records may have been delivered before it. A failure of
// `deliver` or of reading ends the replay and is returned in every mode.
Status replay(const ReplayOptions& options,
              const std::function<Status(Position begin, Position end, std::string_view payload)>& deliver,
              ReplayReport* report);

}  // namespace scree
