// SPDX-License-Identifier: Apache-2.0

#include <scree/write_batch.h>

#include <algorithm>

#include <scree/coding.h>
#include <scree/engine.h>

#include "batch_format.h"
#include "index_state.h"

namespace scree {

void WriteBatch::put(const Index& index, std::string_view key, std::string_view value) {
  add(index, static_cast<char>(detail::OperationType::kPut), key);
  put_length_prefixed(&payload_, value);
  largest_value_ = std::max(largest_value_, value.size());
}

void WriteBatch::erase(const Index& index, std::string_view key) {
  add(index, static_cast<char>(detail::OperationType::kErase), key);
}

void WriteBatch::add(const Index& index, char operation, std::string_view key) {
  // The last one named first: batches often write to one index many times in a row.
  if (indexes_.empty() || indexes_.back() != index.state_) {
    const auto found = std::find(indexes_.begin(), indexes_.end(), index.state_);
    if (found == indexes_.end()) {
      indexes_.push_back(index.state_);
    } else {
      std::iter_swap(found, indexes_.end() - 1);
    }
  }
  detail::encode_operation_head(&payload_, static_cast<detail::OperationType>(operation), index.id());
  put_length_prefixed(&payload_, key);
  ++count_;
  largest_key_ = std::max(largest_key_, key.size());
}

void WriteBatch::clear() noexcept {
  payload_.clear();
  indexes_.clear();
  count_ = largest_key_ = largest_value_ = 0;
}

}  // namespace scree
