// SPDX-License-Identifier: Apache-2.0
//
// Status: the result of every operation that touches a file, and of every engine operation.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace scree {

// The kind of an outcome. The names and meanings are those that users of RocksDB know.
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kNotFound = 1,
  kCorruption = 2,
  kNotSupported = 3,
  kInvalidArgument = 4,
  kIOError = 5,
  kIncomplete = 6,
  kShutdownInProgress = 7,
  kTimedOut = 8,
  kAborted = 9,
  kBusy = 10,
  kTryAgain = 11,
  kMemoryLimit = 12,
};

enum class StatusSubcode : std::uint8_t {
  kNone = 0,
  kNoSpace = 1,  // of kIOError: the device or the log's space is full; it may end by itself
};

// A value type: an OK status is one null pointer, any other owns its code and a message that names the
// thing concerned (the file and offset, the index, the key's size). Thread-compatible.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
  }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status ok() noexcept { return {}; }
  static Status not_found(std::string message) { return {StatusCode::kNotFound, std::move(message)}; }
  static Status corruption(std::string message) { return {StatusCode::kCorruption, std::move(message)}; }
  static Status not_supported(std::string message) { return {StatusCode::kNotSupported, std::move(message)}; }
  static Status invalid_argument(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
  }
  static Status io_error(std::string message) { return {StatusCode::kIOError, std::move(message)}; }
  static Status no_space(std::string message) {
    return {StatusCode::kIOError, std::move(message), StatusSubcode::kNoSpace};
  }
  static Status incomplete(std::string message) { return {StatusCode::kIncomplete, std::move(message)}; }
  static Status shutdown_in_progress(std::string message) {
    return {StatusCode::kShutdownInProgress, std::move(message)};
  }
  static Status timed_out(std::string message) { return {StatusCode::kTimedOut, std::move(message)}; }
  static Status aborted(std::string message) { return {StatusCode::kAborted, std::move(message)}; }
  static Status busy(std::string message) { return {StatusCode::kBusy, std::move(message)}; }
  static Status try_again(std::string message) { return {StatusCode::kTryAgain, std::move(message)}; }
  static Status memory_limit(std::string message) { return {StatusCode::kMemoryLimit, std::move(message)}; }

  bool is_ok() const noexcept { return rep_ == nullptr; }
  bool is_not_found() const noexcept { return code() == StatusCode::kNotFound; }
  bool is_corruption() const noexcept { return code() == StatusCode::kCorruption; }
  bool is_not_supported() const noexcept { return code() == StatusCode::kNotSupported; }
  bool is_invalid_argument() const noexcept { return code() == StatusCode::kInvalidArgument; }
  bool is_io_error() const noexcept { return code() == StatusCode::kIOError; }
  bool is_no_space() const noexcept { return subcode() == StatusSubcode::kNoSpace; }
  bool is_busy() const noexcept { return code() == StatusCode::kBusy; }

  StatusCode code() const noexcept { return rep_ ? rep_->code : StatusCode::kOk; }
  StatusSubcode subcode() const noexcept { return rep_ ? rep_->subcode : StatusSubcode::kNone; }
  std::string_view message() const noexcept { return rep_ ? std::string_view(rep_->message) : std::string_view(); }

  // "OK", or the code's name, a colon and the message.
  std::string to_string() const;

  // The same outcome with `context` and a colon before its message; an OK status stays OK.
  Status with_context(std::string_view context) const;

 private:
  struct Rep {
    StatusCode code;
    StatusSubcode subcode;
    std::string message;
  };

  Status(StatusCode code, std::string message, StatusSubcode subcode = StatusSubcode::kNone)
      : rep_(std::make_unique<Rep>(Rep{code, subcode, std::move(message)})) {}

  std::unique_ptr<Rep> rep_;
};

}  // namespace scree
