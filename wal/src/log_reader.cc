// SPDX-License-Identifier: Apache-2.0

#include <scree/log_reader.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "format.h"
#include "segment_file.h"

namespace scree {

namespace {

using namespace detail;

// A file that is named like a segment, and what its first bytes say.
struct Found {
  std::string path;
  Position begin = 0;  // by its name
  std::uint64_t file_bytes = 0;
  std::optional<SegmentHeader> header;  // if it is good, of this log, and of this name
  std::string problem;                  // why there is no header
  bool foreign = false;                 // a good header that belongs elsewhere
  bool opens = false;                   // a good first record of an incarnation follows the header
};

// An incarnation that is known to have existed.
struct Incarnation {
  std::uint64_t number;
  Position continues_from;
};

// Reads the log in two passes: the first looks at each file's head, to learn which incarnations there were and what
// each dropped of the earlier ones; the second walks through the records.
class Replayer {
 public:
  using Deliver = std::function<Status(Position begin, Position end, std::string_view payload)>;

  Replayer(const ReplayOptions& options, const Deliver& deliver, ReplayReport* report)
      : options_(options), deliver_(deliver), report_(report), reached_(options.from) {}

  Status run() {
    if (Status status = survey(); !status.is_ok()) return status;
    report_->segments = files_.size();
    if (Status status = set_tail(); !status.is_ok()) return status;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (Status status = visit(i); !status.is_ok()) return status;
    }
    report_->tail.recovered_to = reached_;
    return verdict();
  }

 private:
  // Where the walk stands between two segments.
  struct Chain {
    std::uint64_t incarnation;
    Position next_begin;  // where the next segment begins, if the last one was closed; else where its records end
    bool closed;
    std::string path;      // of the last one
    std::uint64_t offset;  // where its records end
  };

  Status survey();
  Status examine(Found* found);
  Status set_tail();
  Status visit(std::size_t index);
  Status walk(const Found& found, SegmentReader& reader, Position cutoff);
  Status scan(const Found& found, std::uint64_t offset, SegmentReader::Remains* remains);
  Status scan_remains(const Found& found, std::uint64_t offset);
  Status verdict() const;

  bool below_from(std::size_t index) const noexcept {
    const Found& found = files_[index];
    return (found.header && found.header->end() <= options_.from) ||
           (index + 1 < files_.size() && files_[index + 1].begin <= options_.from);
  }

  // Records of `incarnation` that end above this were dropped by a later one's recovery.
  Position cutoff(std::uint64_t incarnation) const noexcept {
    Position lowest = ~Position{0};
    for (const Incarnation& other : incarnations_) {
      if (other.number > incarnation) lowest = std::min(lowest, other.continues_from);
    }
    return lowest;
  }

  // A segment that cannot be read is of no concern if some later incarnation went on without it, or if the chain
  // goes on without it.
  bool passed_over(std::size_t index) const noexcept {
    for (std::size_t i = index + 1; i < files_.size(); ++i) {
      const std::optional<SegmentHeader>& header = files_[i].header;
      if (!header) continue;
      if (chain_ && chain_->closed && header->incarnation == chain_->incarnation &&
          header->begin == chain_->next_begin) {
        return true;
      }
      if (files_[i].opens && (!chain_ || header->incarnation > chain_->incarnation) &&
          header->continues_from <= reached_) {
        return true;
      }
    }
    return false;
  }

  static std::string place(const std::string& path, std::uint64_t offset) {
    return path + ": at offset " + std::to_string(offset);
  }

  // Ends the replay at `position`: everything from there on is dropped.
  void stop(Position position, std::string what) {
    stopped_at_ = position;
    report_->damage = Status::corruption(std::move(what));
  }

  const ReplayOptions& options_;
  const Deliver& deliver_;
  ReplayReport* const report_;

  std::vector<Found> files_;  // by position
  std::vector<Incarnation> incarnations_;
  std::optional<Chain> chain_;
  Position reached_;  // everything up to here is kept: delivered, or not above `from`
  std::optional<Position> stopped_at_;
  Position highest_mark_ = 0;
  bool intruder_ = false;  // damage that ended nothing: a file that does not belong here
};

Status Replayer::survey() {
  std::vector<std::string> names;
  if (Status status = options_.file_system->list(options_.directory, &names); !status.is_ok()) return status;
  for (const std::string& name : names) {  // sorted, so by position
    const std::optional<Position> begin = parse_segment_name(name);
    if (!begin) continue;
    Found found;
    found.path = options_.directory + "/" + name;
    found.begin = *begin;
    if (found.begin >= kMaxPosition / 2) return Status::corruption(found.path + ": a position that no log reaches");
    if (Status status = examine(&found); !status.is_ok()) return status;
    files_.push_back(std::move(found));
  }
  const bool any_own = std::any_of(files_.begin(), files_.end(), [](const Found& f) { return f.header || !f.foreign; });
  if (!files_.empty() && !any_own) return Status::corruption(files_.front().path + ": " + files_.front().problem);
  return {};
}

Status Replayer::examine(Found* found) {
  std::unique_ptr<SegmentReader> reader;
  if (Status status = SegmentReader::open(options_.file_system, found->path, &reader); !status.is_ok()) return status;
  found->file_bytes = reader->file_bytes();
  std::string_view bytes;
  if (Status status = reader->view(0, kSegmentHeaderBytes, &bytes); !status.is_ok()) return status;
  SegmentHeader header;
  switch (decode_segment_header(bytes, &header, &found->problem)) {
    case HeaderCheck::kNewerVersion:
      return Status::not_supported(found->path + ": " + found->problem);
    case HeaderCheck::kBad:
      break;
    case HeaderCheck::kGood:
      if (header.log_id != options_.log_id) {
        found->problem = "a segment of another log";
        found->foreign = true;
      } else if (header.begin != found->begin) {
        found->problem = "the segment that begins at " + segment_name(header.begin) + ", under a wrong name";
        found->foreign = true;
      } else {
        found->header = header;
      }
  }
  // The first record is evidence of its incarnation even where the header is lost.
  reader->set_segment(found->begin, found->header ? found->header->capacity : kMaxSegmentCapacity, options_.log_id);
  SegmentReader::Outcome outcome{};
  SegmentReader::Record record;
  std::string why;
  if (Status status = reader->read_record(kSegmentHeaderBytes, &outcome, &record, &why); !status.is_ok()) {
    return status;
  }
  Incarnation opened{};
  if (outcome == SegmentReader::Outcome::kRecord && record.header.type == RecordType::kOpen &&
      decode_open_payload(record.payload, &opened.number, &opened.continues_from)) {
    found->opens = true;
    incarnations_.push_back(opened);
  }
  if (found->header) incarnations_.push_back({found->header->incarnation, found->header->continues_from});
  return {};
}

// The next incarnation begins beyond every position that any of these files can have held, and beyond every one that
// was used in a segment which left no file: no incarnation passes a multiple of the quantum before a segment that
// lies beyond it is durable.
Status Replayer::set_tail() {
  Position used = options_.from;
  std::uint64_t incarnation = 0;
  for (const Found& found : files_) {
    used = std::max(
        used, found.begin + (found.header ? found.header->capacity : std::max(kMaxSegmentCapacity, found.file_bytes)));
  }
  for (const Incarnation& known : incarnations_) incarnation = std::max(incarnation, known.number);
  report_->tail.next_begin = align_up(used, kIncarnationQuantum);
  report_->tail.incarnation = incarnation + 1;
  if (report_->tail.next_begin >= kMaxPosition / 2) {
    return Status::corruption(options_.directory + ": positions that no log reaches");
  }
  return {};
}

Status Replayer::visit(std::size_t index) {
  const Found& found = files_[index];
  if (below_from(index)) return {};
  if (stopped_at_) {
    if (found.header && cutoff(found.header->incarnation) <= found.begin) return {};
    return scan_remains(found, kSegmentHeaderBytes);
  }
  if (!found.header) {
    if (passed_over(index)) {
      if (found.foreign) {
        intruder_ = true;
        if (report_->damage.is_ok()) report_->damage = Status::corruption(found.path + ": " + found.problem);
      }
      return {};
    }
    if (!found.foreign) {
      SegmentReader::Remains remains;
      if (Status status = scan(found, 0, &remains); !status.is_ok()) return status;
      if (remains.data_end == 0) return {};  // created, and never used
    }
    stop(std::max(found.begin, reached_), found.path + ": " + found.problem);
    intruder_ |= found.foreign;
    return found.foreign ? Status() : scan_remains(found, 0);
  }

  const SegmentHeader& header = *found.header;
  const Position cut = cutoff(header.incarnation);
  if (cut <= header.begin) return {};  // dropped by a later incarnation
  std::unique_ptr<SegmentReader> reader;
  if (Status status = SegmentReader::open(options_.file_system, found.path, &reader); !status.is_ok()) return status;
  reader->set_segment(header.begin, header.capacity, options_.log_id);

  const bool follows =
      chain_ && chain_->closed && chain_->incarnation == header.incarnation && chain_->next_begin == header.begin;
  if (!follows && header.begin > options_.from) {
    if (found.opens) {
      if (chain_ && header.incarnation <= chain_->incarnation) {
        stop(header.begin, found.path + ": an incarnation that is not later than the one before it");
      } else if (reached_ < header.continues_from) {
        stop(reached_, found.path + ": continues from position " + std::to_string(header.continues_from) +
                           ", and what is there ends at " + std::to_string(reached_));
      }
    } else {
      SegmentReader::Remains remains;
      if (Status status = reader->scan(kSegmentHeaderBytes, &remains); !status.is_ok()) return status;
      const bool next = chain_ && !chain_->closed && chain_->incarnation == header.incarnation;
      // One that was prepared and never used.
      if (next && remains.data_end == 0 && found.file_bytes >= header.capacity) return {};
      if (next) {
        stop(chain_->next_begin, place(chain_->path, chain_->offset) + ": the records end, and go on in " + found.path);
      } else {
        stop(chain_ ? chain_->next_begin : reached_, found.path + ": the segment before this one is missing");
      }
    }
    if (stopped_at_) return scan_remains(found, kSegmentHeaderBytes);
  }
  return walk(found, *reader, cut);
}

Status Replayer::walk(const Found& found, SegmentReader& reader, Position cut) {
  using Outcome = SegmentReader::Outcome;
  const SegmentHeader& header = *found.header;
  chain_ = Chain{header.incarnation, header.end(), false, found.path, kSegmentHeaderBytes};
  bool jumped = false;
  for (std::uint64_t offset = kSegmentHeaderBytes;;) {
    const Position position = header.begin + offset;
    chain_->offset = offset;
    if (position >= cut) {
      chain_->next_begin = position;
      return {};
    }
    Outcome outcome{};
    SegmentReader::Record record;
    std::string why;
    if (Status status = reader.read_record(offset, &outcome, &record, &why); !status.is_ok()) return status;
    if (outcome == Outcome::kUnknown) return Status::not_supported(place(found.path, offset) + ": " + why);
    if (outcome == Outcome::kRecord && record.header.type == RecordType::kOpen && offset != kSegmentHeaderBytes) {
      outcome = Outcome::kDamage;
      why = "an incarnation's first record inside a segment";
    }
    if (outcome != Outcome::kRecord && position < options_.from && !jumped) {
      // Nothing below `from` is needed, so its damage is none; `from` is where a record begins.
      jumped = true;
      offset = options_.from - header.begin;
      if (offset % kRecordAlignment == 0 && offset < header.capacity) continue;
    }
    if (outcome == Outcome::kZero) {
      SegmentReader::Remains remains;
      if (Status status = reader.scan(offset, &remains); !status.is_ok()) return status;
      if (remains.data_end == 0) {
        chain_->next_begin = position;
        return {};
      }
      outcome = Outcome::kDamage;
      why = "nothing was written here, and data follows at offset " + std::to_string(remains.first_data);
    }
    const Position end = position + record.bytes;
    if (outcome == Outcome::kRecord && end > cut && record.header.type != RecordType::kClose) {
      outcome = Outcome::kDamage;
      why = "a record that a later incarnation continues from the middle of";
    }
    if (outcome == Outcome::kDamage) {
      stop(position, place(found.path, offset) + ": " + why);
      return scan_remains(found, offset);
    }

    highest_mark_ = std::max(highest_mark_, record.header.durable_mark);
    if (record.header.type == RecordType::kClose) {
      chain_->closed = true;
      return {};
    }
    if (record.header.type == RecordType::kBatch && end > options_.from) {
      if (Status status = deliver_(position, end, record.payload); !status.is_ok()) return status;
      ++report_->records;
      report_->bytes += record.payload.size();
    }
    reached_ = std::max(reached_, end);
    offset += record.bytes;
  }
}

Status Replayer::scan(const Found& found, std::uint64_t offset, SegmentReader::Remains* remains) {
  std::unique_ptr<SegmentReader> reader;
  if (Status status = SegmentReader::open(options_.file_system, found.path, &reader); !status.is_ok()) return status;
  reader->set_segment(found.begin, found.header ? found.header->capacity : kMaxSegmentCapacity, options_.log_id);
  return reader->scan(offset, remains);
}

// What lies behind the stop: how much of it is dropped, and whether it proves that more was durable.
Status Replayer::scan_remains(const Found& found, std::uint64_t offset) {
  SegmentReader::Remains remains;
  if (Status status = scan(found, offset, &remains); !status.is_ok()) return status;
  highest_mark_ = std::max(highest_mark_, remains.highest_mark);
  if (remains.data_end > offset) report_->dropped_bytes += remains.data_end - offset;
  return {};
}

Status Replayer::verdict() const {
  report_->damage_is_corruption = intruder_ || (stopped_at_ && *stopped_at_ < highest_mark_);
  if (report_->damage.is_ok()) return {};
  switch (options_.mode) {
    case RecoveryMode::kPointInTimeRecovery:
      return {};
    case RecoveryMode::kTolerateCorruptedTailRecords:
      return report_->damage_is_corruption ? report_->damage : Status();
    case RecoveryMode::kAbsoluteConsistency:
      return report_->damage;
  }
  return Status::invalid_argument(options_.directory + ": an unknown recovery mode");
}

}  // namespace

Status replay(const ReplayOptions& options, const Replayer::Deliver& deliver, ReplayReport* report) {
  *report = {};
  return Replayer(options, deliver, report).run();
}

}  // namespace scree
