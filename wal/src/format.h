// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a log: segment headers and records. wal/FORMAT.md is the specification.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <scree/log.h>

namespace scree::detail {

inline constexpr std::string_view kSegmentMagic = "SCREELOG";
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kRecordHeaderBytes = 32;
inline constexpr std::size_t kOpenPayloadBytes = 16;
inline constexpr std::size_t kRecordAlignment = 8;

// No segment is larger: bounds what a segment with an unreadable header may have used.
inline constexpr std::uint64_t kMaxSegmentCapacity = std::uint64_t{1} << 33;
// A log that does not know where an earlier incarnation ended goes on at the next multiple of this, and no incarnation
// passes such a multiple before a segment beyond it is durable: so no position is ever used twice.
inline constexpr std::uint64_t kIncarnationQuantum = std::uint64_t{1} << 36;
inline constexpr Position kMaxPosition = Position{1} << 62;

enum class RecordType : std::uint8_t {
  kOpen = 1,   // an incarnation's first record
  kBatch = 2,  // a payload of the user's
  kClose = 3,  // takes the rest of its segment
  kVoid = 4,   // positions without meaning
};

struct SegmentHeader {
  std::uint64_t log_id = 0;
  Position begin = 0;
  std::uint64_t capacity = 0;
  std::uint64_t incarnation = 0;
  Position continues_from = 0;

  Position end() const noexcept { return begin + capacity; }
};

struct RecordHeader {
  std::uint32_t length = 0;  // of the payload
  RecordType type{};
  std::uint8_t flags = 0;
  Position position = 0;
  Position durable_mark = 0;  // everything up to here was known to be durable when this was reserved
};

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
  return (value + alignment - 1) & ~(alignment - 1);
}

// Framing, payload and padding.
constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) noexcept {
  return align_up(kRecordHeaderBytes + payload_bytes, kRecordAlignment);
}

void encode_segment_header(const SegmentHeader& header, char* out);

enum class HeaderCheck : std::uint8_t { kGood, kBad, kNewerVersion };

// `bytes` may be short. When not good, `*why` says what is wrong.
HeaderCheck decode_segment_header(std::string_view bytes, SegmentHeader* header, std::string* why);

// Frames a record whose payload stands at `record + kRecordHeaderBytes`: writes the header before it and the padding
// behind it.
void seal_record(char* record, const RecordHeader& header, std::uint64_t log_id);

// The fields of a record's header, unchecked.
RecordHeader decode_record_header(const char* record);
bool record_checksum_holds(std::string_view record_without_padding, std::uint64_t log_id);

void encode_open_payload(std::uint64_t incarnation, Position continues_from, char* out);
bool decode_open_payload(std::string_view payload, std::uint64_t* incarnation, Position* continues_from);

std::string segment_name(Position begin);  // 16 hex digits and ".log"
std::optional<Position> parse_segment_name(std::string_view name);

}  // namespace scree::detail
