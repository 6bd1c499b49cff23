// SPDX-License-Identifier: Apache-2.0
//
// The write-ahead log: records appended to segment files, shared writes and syncs, durability per write. The bytes
// are described in wal/FORMAT.md, the protocol in docs/protocols/recovery.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <scree/durability.h>
#include <scree/file.h>
#include <scree/status.h>

namespace scree {

// A byte's place in the log for as long as the log lives; never used twice, also across crashes.
using Position = std::uint64_t;

// The range of positions of one record. Reservations form a chain: each one's `previous_end` is the `end` of the one
// before it (of `Log::start()` for the first). A commit's sequence number is its `end`.
struct Reservation {
  Position previous_end = 0;
  Position begin = 0;
  Position end = 0;
};

// Where the next incarnation of a log starts and what it continues from. The default is that of a new log; for an
// existing one recovery gives it (log_reader.h).
struct LogTail {
  Position next_begin = 0;
  Position recovered_to = 0;
  std::uint64_t incarnation = 1;
};

struct LogOptions {
  FileSystem* file_system = nullptr;
  std::string directory;                  // exists; the caller has made its own name durable
  std::uint64_t log_id = 0;               // a random number of this log: tells its records from any other's
  std::size_t segment_bytes = 64u << 20;  // 256 bytes to 4 GiB; a record that needs more gets a larger segment

  // Called whenever the log passes from one segment to the next (not for the first), which begins at `next_begin`:
  // once the next one is prepared, so that nothing can fail any more, and before any position from `next_begin` on
  // can be reserved. The log's lock is held: it must not throw and must not call the log.
  std::function<void(Position next_begin)> on_segment_switch;
};

struct LogStats {
  std::uint64_t records = 0;   // appended, with close records
  std::uint64_t bytes = 0;     // of those, with framing
  std::uint64_t writes = 0;    // pwrites of records
  std::uint64_t syncs = 0;     // groups that were made durable together
  std::uint64_t segments = 0;  // files of this log that exist now
};

// The largest payload of one record.
inline constexpr std::size_t kMaxLogPayloadBytes = (std::size_t{1} << 31) - (std::size_t{1} << 16);

// Thread-safe. Destroying it while nobody is inside is to the files what the death of the process is: whoever wants
// buffered records kept calls `sync` first.
//
// When a write or a sync of a segment fails, the log is poisoned: nothing that was not acknowledged before will be,
// and every later append, wait, roll and sync returns that failure. Opening again, after replay, continues from what
// is there. Failing to prepare a segment (a full disk, above all) poisons nothing: the append returns it, has
// reserved nothing, and may be tried again.
class Log {
 public:
  // Prepares a fresh segment at `tail.next_begin`, whose first record names the incarnation and what it continues
  // from, and makes both durable; never touches an existing segment.
  static Status open(LogOptions options, const LogTail& tail, std::unique_ptr<Log>* log);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The end of the first record: where the commit clock begins.
  Position start() const noexcept;

  // Adds one record whose payload is the pieces put together. On failure nothing is reserved.
  Status append(std::span<const std::string_view> payload, Reservation* reservation);

  // Returns once everything up to `end`, the end of a reservation, is as durable as asked.
  Status wait(Position end, Durability durability);

  // Closes the current segment with a record that takes all the rest of its positions, and goes on in the next one.
  // `*closed` is the close record's place in the chain; its end is where the next segment begins.
  Status roll(Reservation* closed);

  // Everything appended so far survives power loss.
  Status sync();

  // Removes the segments of which recovery from `position` needs nothing: those that end at or below it.
  Status purge_before(Position position);

  LogStats stats() const;

 private:
  class Core;
  explicit Log(std::unique_ptr<Core> core) noexcept;
  std::unique_ptr<Core> core_;
};

}  // namespace scree
