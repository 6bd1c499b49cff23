// SPDX-License-Identifier: Apache-2.0

#include "segment_file.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <scree/coding.h>

namespace scree::detail {

namespace {

constexpr std::size_t kWindowBytes = std::size_t{1} << 20;

// How many bytes of would-be records `scan` checksums, as a multiple of what it scans: a payload full of look-alikes
// must not make it quadratic.
constexpr std::uint64_t kScanEffort = 4;

Status write_segment(File& file, const SegmentHeader& header, std::string_view first_record) {
  if (Status status = file.truncate(0); !status.is_ok()) return status;
  if (Status status = file.preallocate(header.capacity); !status.is_ok()) return status;
  std::string bytes(kSegmentHeaderBytes, '\0');
  encode_segment_header(header, bytes.data());
  bytes += first_record;
  return file.write_at(0, bytes);
}

}  // namespace

Status prepare_segment(FileSystem* file_system, const std::string& directory, const SegmentHeader& header,
                       std::string_view first_record, std::shared_ptr<Segment>* segment) {
  const std::string path = directory + "/" + segment_name(header.begin);
  std::unique_ptr<File> file;
  if (Status status = file_system->open(path, OpenMode::kCreate, &file); !status.is_ok()) return status;
  if (Status status = write_segment(*file, header, first_record); !status.is_ok()) {
    static_cast<void>(file_system->unlink(path));  // what stays is taken over by the next attempt, or never read
    return status;
  }
  *segment = std::make_shared<Segment>(Segment{path, header, std::move(file)});
  return {};
}

Status SegmentReader::open(FileSystem* file_system, const std::string& path, std::unique_ptr<SegmentReader>* reader) {
  auto opened = std::make_unique<SegmentReader>();
  if (Status status = file_system->open(path, OpenMode::kRead, &opened->file_); !status.is_ok()) return status;
  if (Status status = opened->file_->size(&opened->file_bytes_); !status.is_ok()) return status;
  *reader = std::move(opened);
  return {};
}

void SegmentReader::set_segment(Position begin, std::uint64_t capacity, std::uint64_t log_id) noexcept {
  begin_ = begin;
  capacity_ = capacity;
  log_id_ = log_id;
}

Status SegmentReader::view(std::uint64_t offset, std::size_t length, std::string_view* bytes) {
  if (offset >= file_bytes_) {
    *bytes = {};
    return {};
  }
  length = static_cast<std::size_t>(std::min<std::uint64_t>(length, file_bytes_ - offset));
  if (offset < window_offset_ || offset + length > window_offset_ + window_.size()) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(std::max(length, kWindowBytes), file_bytes_ - offset));
    if (window_.capacity() > 4 * kWindowBytes && wanted <= kWindowBytes) std::string().swap(window_);
    window_.resize(wanted);
    std::size_t count = 0;
    if (Status status = file_->read_at(offset, window_, &count); !status.is_ok()) {
      window_.clear();
      return status;
    }
    window_.resize(count);
    window_offset_ = offset;
  }
  *bytes = std::string_view(window_).substr(static_cast<std::size_t>(offset - window_offset_), length);
  return {};
}

Status SegmentReader::read_record(std::uint64_t offset, Outcome* outcome, Record* record, std::string* why) {
  *outcome = Outcome::kDamage;
  const std::uint64_t limit = std::min(capacity_, file_bytes_);
  const auto cut = [&] {
    return "the file ends at " + std::to_string(file_bytes_) + " of " + std::to_string(capacity_) + " bytes";
  };
  if (offset > limit || limit - offset < kRecordHeaderBytes) {
    *why = limit < capacity_ ? cut() : "the segment ends without a close record";
    return {};
  }
  std::string_view bytes;
  if (Status status = view(offset, kRecordHeaderBytes, &bytes); !status.is_ok()) return status;
  if (bytes.size() < kRecordHeaderBytes) {
    *why = cut();
    return {};
  }
  if (bytes.find_first_not_of('\0') == std::string_view::npos) {
    if (file_bytes_ < capacity_) {
      *why = cut();
    } else {
      *outcome = Outcome::kZero;
    }
    return {};
  }
  record->header = decode_record_header(bytes.data());
  if (record->header.position != begin_ + offset) {
    *why = "no record of this place";
    return {};
  }
  if (record->header.length > limit - offset - kRecordHeaderBytes) {
    *why = limit < capacity_ ? cut() : "a record longer than its segment";
    return {};
  }
  const std::size_t used = kRecordHeaderBytes + record->header.length;
  if (Status status = view(offset, used, &bytes); !status.is_ok()) return status;
  if (bytes.size() < used) {
    *why = cut();
    return {};
  }
  if (!record_checksum_holds(bytes, log_id_)) {
    *why = "a record's checksum does not hold";
    return {};
  }
  record->payload = bytes.substr(kRecordHeaderBytes);
  record->bytes = record_bytes(record->header.length);
  if (record->header.type < RecordType::kOpen || record->header.type > RecordType::kVoid || record->header.flags != 0) {
    *outcome = Outcome::kUnknown;
    *why = "a record of type " + std::to_string(static_cast<unsigned>(record->header.type)) + ", flags " +
           std::to_string(record->header.flags) + ", which this program does not know";
    return {};
  }
  if (record->header.durable_mark > record->header.position) {
    *why = "a record that knows of later ones";
    return {};
  }
  if (record->header.type == RecordType::kClose) record->bytes = capacity_ - offset;
  *outcome = Outcome::kRecord;
  return {};
}

Status SegmentReader::scan(std::uint64_t offset, Remains* remains) {
  *remains = {};
  offset = align_up(offset, kRecordAlignment);
  const std::uint64_t limit = std::min(capacity_, file_bytes_);
  std::uint64_t effort = limit > offset ? kScanEffort * (limit - offset) : 0;
  std::uint64_t skip_to = offset;  // behind the last good record
  std::vector<std::uint64_t> candidates;
  while (offset < limit) {
    std::string_view bytes;
    if (Status status =
            view(offset, static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, limit - offset)), &bytes);
        !status.is_ok()) {
      return status;
    }
    if (bytes.empty()) break;
    candidates.clear();
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
      if (word == 0) continue;
      if (remains->data_end == 0) remains->first_data = offset + at;
      remains->data_end = offset + at + std::min<std::size_t>(8, bytes.size() - at);
      if (at + 8 <= bytes.size() && offset + at >= 16 &&
          decode_fixed64(bytes.data() + at) == begin_ + offset + at - 16) {
        candidates.push_back(offset + at - 16);
      }
    }
    const std::uint64_t next = offset + bytes.size();
    for (const std::uint64_t candidate : candidates) {
      if (candidate < skip_to) continue;
      Outcome outcome{};
      Record record;
      std::string why;
      if (Status status = read_record(candidate, &outcome, &record, &why); !status.is_ok()) return status;
      if (outcome == Outcome::kRecord) {
        remains->highest_mark = std::max(remains->highest_mark, record.header.durable_mark);
        skip_to = candidate + record.bytes;
      }
      const std::uint64_t spent = kRecordHeaderBytes + record.header.length;
      if (spent > effort) return {};
      effort -= spent;
    }
    offset = next;
  }
  return {};
}

}  // namespace scree::detail
