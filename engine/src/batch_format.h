// SPDX-License-Identifier: Apache-2.0
//
// The payload of a log record: what one commit does. See engine/FORMAT.md, section "Batch".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <scree/options.h>
#include <scree/status.h>

namespace scree::detail {

enum class OperationType : char {
  kPut = 1,
  kErase = 2,
  kCreateIndex = 3,
  kDropIndex = 4,
};

// Views into the payload.
struct Operation {
  OperationType type = OperationType::kPut;
  std::uint32_t index = 0;
  std::string_view key;    // of a created index: its name
  std::string_view value;  // of kPut only
  IndexKind kind = IndexKind::kTree;  // of kCreateIndex only
};

void encode_operation_head(std::string* payload, OperationType type, std::uint32_t index);

// Takes the next operation off the front of `*payload`. Corruption if it is not well-formed.
Status decode_operation(std::string_view* payload, Operation* operation);

}  // namespace scree::detail
