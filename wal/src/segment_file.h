// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <scree/file.h>
#include <scree/log.h>

#include "format.h"

namespace scree::detail {

// A segment that this incarnation writes. Immutable but for its file's content.
struct Segment {
  std::string path;
  SegmentHeader header;
  std::unique_ptr<File> file;
};

// Creates the file (or takes over what a failed attempt at the same positions left), allocates all of it and writes
// its header, with `first_record` behind it if there is one. Nothing is synced. On failure the file is removed again,
// if that is possible.
Status prepare_segment(FileSystem* file_system, const std::string& directory, const SegmentHeader& header,
                       std::string_view first_record, std::shared_ptr<Segment>* segment);

// Reads a segment through a window that moves over the file.
class SegmentReader {
 public:
  enum class Outcome : std::uint8_t {
    kRecord,  // whole and good
    kZero,    // where a record's header would stand there are zeros: nothing was written from here on
    kDamage,
    kUnknown,  // whole and good, and of a kind that this version does not know
  };
  struct Record {
    RecordHeader header;
    std::string_view payload;  // until the next call
    std::uint64_t bytes = 0;   // with framing and padding
  };

  // `begin`, `capacity` and `log_id` are what the segment's records are checked against.
  static Status open(FileSystem* file_system, const std::string& path, std::unique_ptr<SegmentReader>* reader);
  void set_segment(Position begin, std::uint64_t capacity, std::uint64_t log_id) noexcept;

  const std::string& path() const noexcept { return file_->path(); }
  std::uint64_t file_bytes() const noexcept { return file_bytes_; }

  // [offset, offset + length) as far as the file goes; valid until the next call.
  Status view(std::uint64_t offset, std::size_t length, std::string_view* bytes);

  // The record at `offset`; `*why` says what is wrong with a damaged or unknown one. No length found in the file is
  // trusted beyond the segment's and the file's end.
  Status read_record(std::uint64_t offset, Outcome* outcome, Record* record, std::string* why);

  // What stands in the file from `offset` on: where it last is not zero, and the highest durable mark of any good
  // record that can be found there.
  struct Remains {
    std::uint64_t first_data = 0;  // offset of the first 8 bytes that are not zero
    std::uint64_t data_end = 0;    // 0: all zero
    Position highest_mark = 0;
  };
  Status scan(std::uint64_t offset, Remains* remains);

 private:
  std::unique_ptr<File> file_;
  std::uint64_t file_bytes_ = 0;
  Position begin_ = 0;
  std::uint64_t capacity_ = 0;
  std::uint64_t log_id_ = 0;
  std::string window_;
  std::uint64_t window_offset_ = 0;
};

}  // namespace scree::detail
