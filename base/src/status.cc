// SPDX-License-Identifier: Apache-2.0

#include <scree/status.h>

namespace scree {

namespace {

std::string_view name_of(StatusCode code) noexcept {
  switch (code) {
    case StatusCode::kOk:
      return "OK";
    case StatusCode::kNotFound:
      return "NotFound";
    case StatusCode::kCorruption:
      return "Corruption";
    case StatusCode::kNotSupported:
      return "NotSupported";
    case StatusCode::kInvalidArgument:
      return "InvalidArgument";
    case StatusCode::kIOError:
      return "IOError";
    case StatusCode::kIncomplete:
      return "Incomplete";
    case StatusCode::kShutdownInProgress:
      return "ShutdownInProgress";
    case StatusCode::kTimedOut:
      return "TimedOut";
    case StatusCode::kAborted:
      return "Aborted";
    case StatusCode::kBusy:
      return "Busy";
    case StatusCode::kTryAgain:
      return "TryAgain";
    case StatusCode::kMemoryLimit:
      return "MemoryLimit";
  }
  return "Unknown";
}

}  // namespace

std::string Status::to_string() const {
  if (is_ok()) return "OK";
  std::string text(subcode() == StatusSubcode::kNoSpace ? "NoSpace" : name_of(code()));
  text += ": ";
  text += message();
  return text;
}

Status Status::with_context(std::string_view context) const {
  if (is_ok()) return {};
  std::string text(context);
  text += ": ";
  text += message();
  return {code(), std::move(text), subcode()};
}

}  // namespace scree
