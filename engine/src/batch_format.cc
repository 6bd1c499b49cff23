// SPDX-License-Identifier: Apache-2.0

#include "batch_format.h"

#include <scree/coding.h>

namespace scree::detail {

void encode_operation_head(std::string* payload, OperationType type, std::uint32_t index) {
  payload->push_back(static_cast<char>(type));
  put_varint32(payload, index);
}

Status decode_operation(std::string_view* payload, Operation* operation) {
  const auto damaged = [](const char* what) {
    return Status::corruption(std::string("an operation of a batch: ") + what);
  };
  if (payload->empty()) return damaged("missing");
  *operation = Operation{};
  operation->type = static_cast<OperationType>(payload->front());
  payload->remove_prefix(1);
  if (!get_varint32(payload, &operation->index)) return damaged("its index");
  switch (operation->type) {
    case OperationType::kPut:
      if (!get_length_prefixed(payload, &operation->key)) return damaged("its key");
      if (!get_length_prefixed(payload, &operation->value)) return damaged("its value");
      break;
    case OperationType::kErase:
      if (!get_length_prefixed(payload, &operation->key)) return damaged("its key");
      break;
    case OperationType::kCreateIndex: {
      if (payload->empty()) return damaged("its kind");
      operation->kind = static_cast<IndexKind>(payload->front());
      payload->remove_prefix(1);
      if (operation->kind != IndexKind::kTree && operation->kind != IndexKind::kHash) return damaged("its kind");
      if (!get_length_prefixed(payload, &operation->key)) return damaged("its name");
      return {};
    }
    case OperationType::kDropIndex:
      return {};
    default:
      return damaged("of unknown type");
  }
  if (operation->key.size() > kMaxKeyBytes || operation->value.size() > kMaxValueBytes) return damaged("its size");
  return {};
}

}  // namespace scree::detail
