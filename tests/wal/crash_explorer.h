// SPDX-License-Identifier: Apache-2.0
//
// Runs seeded scripts of log operations on the file system in memory, cuts the power at each operation in turn, opens
// again, perhaps cuts it again while recovering or later, and checks what is there.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "log_driver.h"
#include "support/lying_file_system.h"

namespace scree::test {

// A mistake that the checker must notice: in the file system, or in whoever uses the log.
enum class Planted {
  kNothing,
  kSyncDoesNothing,
  kDirectorySyncDoesNothing,
  kAcknowledgesBeforeTheDisk,  // waits for the process where it promises the disk
  kReusesPositions,            // goes on right behind the files that are there
  kForgetsWhatWasDropped,      // continues from nowhere in particular
};

// What the script knows to be true of one log across its lives.
class History {
 public:
  // The life that begins now found `found` of what was written. Returns what is wrong about it.
  std::optional<std::string> begin_life(const Replayed& found, bool process_died_only) {
    const ReplayReport& report = found.report;
    if (!found.status.is_ok()) return "replay failed: " + found.status.to_string();
    if (report.damage_is_corruption) return "a crash was taken for corruption: " + report.damage.to_string();
    if (report.tail.recovered_to > report.tail.next_begin) return "recovered beyond the tail";
    std::size_t first = 0;
    while (first < records_.size() && records_[first].end <= flushed_to_) ++first;
    std::size_t matched = 0;
    for (; matched < found.records.size(); ++matched) {
      if (first + matched >= records_.size()) return "a record that was never written";
      const Record& expected = records_[first + matched];
      if (found.records[matched].end != expected.end || found.records[matched].payload != expected.payload) {
        return "record " + std::to_string(matched) +
               " is not the one that was written: " + found.records[matched].payload + " instead of " +
               expected.payload;
      }
    }
    const std::size_t kept = first + matched;
    const std::size_t promised = process_died_only ? std::max(on_disk_, in_process_) : on_disk_;
    if (kept < promised) {
      return "lost an acknowledged record: " + records_[kept].payload + " (kept " + std::to_string(kept) + " of " +
             std::to_string(promised) + "); " + report.damage.to_string();
    }
    in_process_ = process_died_only ? kept : on_disk_;
    candidate_kept_ = kept;
    return {};
  }

  // The log is open: what recovery did not find is gone for ever, what it found stays for as long as it did before.
  std::optional<std::string> opened(const Log& log) {
    if (log.start() < highest_) return "begins below a position that was used";
    records_.resize(candidate_kept_);
    highest_ = log.start();
    return {};
  }
  void appended(Position end, std::string payload) {
    records_.push_back({end, std::move(payload)});
    highest_ = std::max(highest_, end);
  }
  void reserved(Position end) { highest_ = std::max(highest_, end); }
  void acknowledged(Durability durability) {
    if (durability >= Durability::kProcess) in_process_ = records_.size();
    if (durability >= Durability::kDisk) on_disk_ = records_.size();
  }
  // All records so far are kept elsewhere, durably.
  void flushed(Position to) {
    flushed_to_ = to;
    on_disk_ = in_process_ = records_.size();
  }
  Position flushed_to() const { return flushed_to_; }

 private:
  struct Record {
    Position end;
    std::string payload;
  };
  std::vector<Record> records_;
  std::size_t on_disk_ = 0;  // so many of them must survive power loss
  std::size_t in_process_ = 0;
  std::size_t candidate_kept_ = 0;
  Position flushed_to_ = 0;
  Position highest_ = 0;
};

struct Script {
  std::uint64_t seed = 0;
  std::size_t steps = 25;
  Position first_begin = 0;  // of a new log: also next to where an incarnation must renew its lease of positions
  Planted planted = Planted::kNothing;
};

// One life: replays, opens and runs the script until it ends or the power goes. What is wrong, if anything.
inline std::optional<std::string> live(MemoryFileSystem* memory, const Script& script, std::uint64_t life,
                                       bool process_died_only, History* history) {
  const Lie lie = script.planted == Planted::kSyncDoesNothing            ? Lie::kSync
                  : script.planted == Planted::kDirectorySyncDoesNothing ? Lie::kSyncDirectory
                                                                         : Lie::kNone;
  LyingFileSystem file_system(memory, lie);
  Replayed found = replay_all(&file_system, kLogDirectory, history->flushed_to());
  if (found.status.is_io_error()) return {};  // the power went
  if (life == 0) found.report.tail.next_begin = script.first_begin;
  if (auto wrong = history->begin_life(found, process_died_only)) return wrong;
  constexpr std::size_t kSegmentBytes = 512;
  if (script.planted == Planted::kReusesPositions && life > 0) {
    std::vector<std::string> names;
    if (!file_system.list(kLogDirectory, &names).is_ok()) return {};
    found.report.tail.next_begin = script.first_begin;
    if (!names.empty()) {
      std::string bytes;
      if (!read_file(&file_system, kLogDirectory + "/" + names.back(), 1 << 20, &bytes).is_ok()) return {};
      found.report.tail.next_begin =
          std::stoull(names.back().substr(0, 16), nullptr, 16) + std::max(bytes.size(), kSegmentBytes);
    }
  }
  if (script.planted == Planted::kForgetsWhatWasDropped) {
    found.report.tail.recovered_to = found.report.tail.next_begin;
  }
  std::unique_ptr<Log> log;
  if (!Log::open(log_options(&file_system, kSegmentBytes), found.report.tail, &log).is_ok()) return {};
  if (auto wrong = history->opened(*log)) return wrong;

  std::mt19937_64 random(script.seed * 1000003 + life);
  for (std::size_t step = 0; step < script.steps; ++step) {
    const std::uint64_t choice = random() % 16;
    if (choice == 0) {
      Reservation closed;
      if (!log->roll(&closed).is_ok()) return {};
      history->reserved(closed.end);
      if (random() % 2 == 0) {
        if (!log->wait(closed.end, Durability::kProcess).is_ok()) return {};
        history->flushed(closed.end);
        if (!log->purge_before(closed.end).is_ok()) return {};
      }
    } else {
      std::string payload = std::to_string(life) + ":" + std::to_string(step) + ":";
      payload.append(random() % (choice == 1 ? 1200 : 90), static_cast<char>('a' + random() % 26));
      Reservation reservation;
      if (!append(*log, payload, &reservation).is_ok()) return {};
      history->appended(reservation.end, std::move(payload));
      const auto durability = static_cast<Durability>(random() % 3);
      const bool early = script.planted == Planted::kAcknowledgesBeforeTheDisk && durability == Durability::kDisk;
      if (!log->wait(reservation.end, early ? Durability::kProcess : durability).is_ok()) return {};
      history->acknowledged(durability);
    }
  }
  return {};
}

struct Exploration {
  std::uint64_t crashes = 0;
  std::optional<std::string> wrong;
};

// Every operation of the script's first life, under each policy, with further crashes at random operations of the
// lives after it (so also while recovering, and while recovering from that).
inline Exploration explore(const Script& script, std::uint64_t arbitrary_per_point) {
  Exploration result;
  std::uint64_t operations = 0;
  {
    const auto whole = fresh_file_system();
    History history;
    if ((result.wrong = live(whole.get(), script, 0, false, &history))) return result;
    operations = whole->operations();
  }
  std::mt19937_64 random(script.seed);
  for (std::uint64_t point = 3; point <= operations + 1; ++point) {  // 1 and 2 made the directory
    for (std::uint64_t variant = 0; variant < 2 + arbitrary_per_point; ++variant) {
      CrashPolicy policy;
      policy.unsynced = variant == 0   ? CrashPolicy::Unsynced::kDropped
                        : variant == 1 ? CrashPolicy::Unsynced::kKept
                                       : CrashPolicy::Unsynced::kArbitrary;
      auto file_system = fresh_file_system();
      History history;
      std::uint64_t crash_at = point;
      std::string where = "script " + std::to_string(script.seed) + ", crashes at";
      for (std::uint64_t life = 0;; ++life) {
        const bool last = life == 3;
        if (!last) {
          where += " " + std::to_string(crash_at);
          file_system->set_interceptor(fail_from_operation(crash_at, Status::io_error("the power is off")));
        }
        const bool process_died_only = life > 0 && policy.unsynced == CrashPolicy::Unsynced::kKept;
        if (auto wrong = live(file_system.get(), script, life, process_died_only, &history)) {
          result.wrong =
              where + ", variant " + std::to_string(variant) + ", life " + std::to_string(life) + ": " + *wrong;
          return result;
        }
        if (last) break;
        policy.seed = random();
        file_system = file_system->crash(policy);
        ++result.crashes;
        crash_at = 1 + random() % (operations + operations / 4);
      }
    }
  }
  return result;
}

}  // namespace scree::test
