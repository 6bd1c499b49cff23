// SPDX-License-Identifier: Apache-2.0

#include "format.h"

#include <cstring>

#include <scree/checksum.h>
#include <scree/coding.h>

namespace scree::detail {

namespace {

// A segment's header is checked without the log's id, so that another log's can be told from a damaged one.
constexpr std::uint64_t kHeaderSeed = 0;

constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::size_t kNameDigits = 16;

}  // namespace

void encode_segment_header(const SegmentHeader& header, char* out) {
  std::memcpy(out, kSegmentMagic.data(), kSegmentMagic.size());
  encode_fixed32(out + 16, kFormatVersion);
  encode_fixed32(out + 20, 0);
  encode_fixed64(out + 24, header.log_id);
  encode_fixed64(out + 32, header.begin);
  encode_fixed64(out + 40, header.capacity);
  encode_fixed64(out + 48, header.incarnation);
  encode_fixed64(out + 56, header.continues_from);
  encode_fixed64(out + 8, checksum64({out + 16, kSegmentHeaderBytes - 16}, kHeaderSeed));
}

HeaderCheck decode_segment_header(std::string_view bytes, SegmentHeader* header, std::string* why) {
  if (bytes.size() < kSegmentHeaderBytes) {
    *why = "the file ends inside its header, at " + std::to_string(bytes.size()) + " bytes";
    return HeaderCheck::kBad;
  }
  if (bytes.substr(0, kSegmentMagic.size()) != kSegmentMagic) {
    *why = bytes.substr(0, kSegmentHeaderBytes).find_first_not_of('\0') == std::string_view::npos
               ? "the header was never written"
               : "not the header of a log segment";
    return HeaderCheck::kBad;
  }
  if (decode_fixed64(bytes.data() + 8) != checksum64(bytes.substr(16, kSegmentHeaderBytes - 16), kHeaderSeed)) {
    *why = "the header's checksum does not hold";
    return HeaderCheck::kBad;
  }
  const std::uint32_t version = decode_fixed32(bytes.data() + 16);
  if (version != kFormatVersion) {
    *why = "format version " + std::to_string(version) + ", this program reads " + std::to_string(kFormatVersion);
    return version > kFormatVersion ? HeaderCheck::kNewerVersion : HeaderCheck::kBad;
  }
  header->log_id = decode_fixed64(bytes.data() + 24);
  header->begin = decode_fixed64(bytes.data() + 32);
  header->capacity = decode_fixed64(bytes.data() + 40);
  header->incarnation = decode_fixed64(bytes.data() + 48);
  header->continues_from = decode_fixed64(bytes.data() + 56);
  if (header->begin % kRecordAlignment != 0 || header->begin >= kMaxPosition ||
      header->capacity % kRecordAlignment != 0 || header->capacity < kSegmentHeaderBytes + kRecordHeaderBytes ||
      header->capacity > kMaxSegmentCapacity || header->continues_from > header->begin || header->incarnation == 0 ||
      header->incarnation >= kMaxPosition) {
    *why = "the header's fields contradict each other";
    return HeaderCheck::kBad;
  }
  return HeaderCheck::kGood;
}

void seal_record(char* record, const RecordHeader& header, std::uint64_t log_id) {
  encode_fixed32(record + 8, header.length);
  record[12] = static_cast<char>(header.type);
  record[13] = static_cast<char>(header.flags);
  encode_fixed16(record + 14, 0);
  encode_fixed64(record + 16, header.position);
  encode_fixed64(record + 24, header.durable_mark);
  const std::size_t used = kRecordHeaderBytes + header.length;
  std::memset(record + used, 0, record_bytes(header.length) - used);
  encode_fixed64(record, checksum64({record + 8, used - 8}, log_id));
}

RecordHeader decode_record_header(const char* record) {
  RecordHeader header;
  header.length = decode_fixed32(record + 8);
  header.type = static_cast<RecordType>(record[12]);
  header.flags = static_cast<std::uint8_t>(record[13]);
  header.position = decode_fixed64(record + 16);
  header.durable_mark = decode_fixed64(record + 24);
  return header;
}

bool record_checksum_holds(std::string_view record_without_padding, std::uint64_t log_id) {
  return decode_fixed64(record_without_padding.data()) == checksum64(record_without_padding.substr(8), log_id);
}

void encode_open_payload(std::uint64_t incarnation, Position continues_from, char* out) {
  encode_fixed64(out, incarnation);
  encode_fixed64(out + 8, continues_from);
}

bool decode_open_payload(std::string_view payload, std::uint64_t* incarnation, Position* continues_from) {
  return payload.size() == kOpenPayloadBytes && get_fixed64(&payload, incarnation) &&
         get_fixed64(&payload, continues_from);
}

std::string segment_name(Position begin) {
  std::string name(kNameDigits, '0');
  for (std::size_t i = kNameDigits; i-- > 0; begin >>= 4) name[i] = "0123456789abcdef"[begin & 15];
  name += kSegmentSuffix;
  return name;
}

std::optional<Position> parse_segment_name(std::string_view name) {
  if (name.size() != kNameDigits + kSegmentSuffix.size() || name.substr(kNameDigits) != kSegmentSuffix) return {};
  Position begin = 0;
  for (const char digit : name.substr(0, kNameDigits)) {
    const std::size_t value = std::string_view("0123456789abcdef").find(digit);
    if (value == std::string_view::npos) return {};
    begin = begin << 4 | value;
  }
  return begin;
}

}  // namespace scree::detail
