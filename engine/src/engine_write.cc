// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <utility>

#include <scree/coding.h>

#include "batch_format.h"
#include "engine_core.h"
#include "engine_guards.h"

namespace scree {

using detail::CommitOperation;
using detail::CommitResult;
using detail::Operation;
using detail::OperationType;

namespace {

Status engine_closed() { return Status::shutdown_in_progress("the engine is closed"); }

Status check_name(std::string_view name) {
  if (!name.empty() && name.size() <= 255) return {};
  return Status::invalid_argument("an index name of " + std::to_string(name.size()) + " bytes, 1 to 255 are allowed");
}

std::string quoted(std::string_view name) { return "index \"" + std::string(name) + "\""; }

}  // namespace

Status EngineCore::check(const Index& index) const {
  const auto& state = index.state_;
  if (state == nullptr) return Status::invalid_argument("a handle that names no index");
  if (state->engine != instance_) {
    return Status::invalid_argument(quoted(state->name) + ": the handle is of another engine");
  }
  if (state->is_dropped()) return Status::not_found(quoted(state->name) + " was dropped");
  return {};
}

Status EngineCore::check_sizes(std::size_t key, std::size_t value) const {
  if (key > kMaxKeyBytes) {
    return Status::invalid_argument("a key of " + std::to_string(key) + " bytes, at most " +
                                    std::to_string(kMaxKeyBytes) + " are allowed");
  }
  if (value > kMaxValueBytes) {
    return Status::invalid_argument("a value of " + std::to_string(value) + " bytes, at most " +
                                    std::to_string(kMaxValueBytes) + " are allowed");
  }
  return {};
}

Status EngineCore::create_index(std::string_view name, IndexKind kind, Index* index) {
  if (Status status = check_name(name); !status.is_ok()) return status;
  if (kind != IndexKind::kTree && kind != IndexKind::kHash) {
    return Status::invalid_argument(quoted(name) + ": of kind " + std::to_string(static_cast<int>(kind)));
  }
  const WriteGuard guard(*this);
  if (!guard) return engine_closed();
  const std::lock_guard<std::mutex> lock(catalogue_mutex_);
  if (catalogue_.find(name) != nullptr) return Status::invalid_argument(quoted(name) + " exists");
  const std::uint32_t id = catalogue_.next_id();
  std::string payload;
  detail::encode_operation_head(&payload, OperationType::kCreateIndex, id);
  payload.push_back(static_cast<char>(kind));
  put_length_prefixed(&payload, name);
  std::uint64_t sequence = 0;
  const Status committed = commit_catalogue_change(payload, &sequence);
  if (sequence == 0) return committed;  // not in the log
  std::shared_ptr<IndexState> state;
  if (Status status = catalogue_.add(id, kind, name, sequence, &state); !status.is_ok()) return status;
  catalogue_changed_at_.store(sequence, memory_order_release);
  *index = Index(std::move(state));
  return committed;
}

Status EngineCore::open_index(std::string_view name, IndexKind kind, Index* index) const {
  const WriteGuard guard(*this);
  if (!guard) return engine_closed();
  const std::lock_guard<std::mutex> lock(catalogue_mutex_);
  std::shared_ptr<IndexState> state = catalogue_.find(name);
  if (state == nullptr) return Status::not_found(quoted(name) + " does not exist");
  if (state->kind != kind) {
    return Status::invalid_argument(quoted(name) + (state->kind == IndexKind::kTree ? " is a tree" : " is a hash"));
  }
  *index = Index(std::move(state));
  return {};
}

Status EngineCore::drop_index(std::string_view name) {
  const WriteGuard guard(*this);
  if (!guard) return engine_closed();
  const std::lock_guard<std::mutex> lock(catalogue_mutex_);
  const std::shared_ptr<IndexState> state = catalogue_.find(name);
  if (state == nullptr) return Status::not_found(quoted(name) + " does not exist");
  std::string payload;
  detail::encode_operation_head(&payload, OperationType::kDropIndex, state->id);
  std::uint64_t sequence = 0;
  const Status committed = commit_catalogue_change(payload, &sequence);
  if (sequence == 0) return committed;
  catalogue_.drop(state, sequence);
  catalogue_changed_at_.store(sequence, memory_order_release);
  return committed;
}

// Durable on return, so that an index that was created is there however the machine fails. It needs no memory of the
// memtables, so it waits for no flush: a flush waits for the catalogue.
Status EngineCore::commit_catalogue_change(std::string_view payload, std::uint64_t* sequence) {
  CommitResult result;
  const std::array pieces{payload};
  Status status = pipeline_->commit({}, pieces, Durability::kDisk, &result);
  *sequence = result.sequence;
  return status;
}

std::vector<Index> EngineCore::list_indexes() const {
  const std::lock_guard<std::mutex> lock(catalogue_mutex_);
  std::vector<Index> indexes;
  for (auto& state : catalogue_.living()) indexes.push_back(Index(std::move(state)));
  return indexes;
}

Status EngineCore::write_one(const WriteOptions& options, const Index& index, std::string_view key,
                             const std::string_view* value) {
  const WriteGuard guard(*this);
  if (!guard) return engine_closed();
  if (Status status = check(index); !status.is_ok()) return status;
  const std::string_view bytes = value != nullptr ? *value : std::string_view();
  if (Status status = check_sizes(key.size(), bytes.size()); !status.is_ok()) return status;

  // The operation's head and the lengths of key and value; the bytes themselves go to the log from where they are.
  std::array<char, 1 + 3 * kMaxVarint32Bytes> framing;
  char* out = framing.data();
  *out++ = static_cast<char>(value != nullptr ? OperationType::kPut : OperationType::kErase);
  out = encode_varint32(out, index.state_->id);
  out = encode_varint32(out, static_cast<std::uint32_t>(key.size()));
  char* const value_length = out;
  if (value != nullptr) out = encode_varint32(out, static_cast<std::uint32_t>(bytes.size()));
  const std::array pieces{std::string_view(framing.data(), static_cast<std::size_t>(value_length - framing.data())), key,
                          std::string_view(value_length, static_cast<std::size_t>(out - value_length)), bytes};

  const CommitOperation operation{index.state_->id, index.state_->kind, value == nullptr, key, bytes};
  CommitResult result;
  return commit({&operation, 1}, pieces, options.durability, &result);
}

Status EngineCore::write(const WriteOptions& options, const WriteBatch& batch, std::uint64_t* sequence) {
  const WriteGuard guard(*this);
  if (!guard) return engine_closed();
  for (const auto& state : batch.indexes_) {
    if (Status status = check(Index(state)); !status.is_ok()) return status;
  }
  if (Status status = check_sizes(batch.largest_key_, batch.largest_value_); !status.is_ok()) return status;
  if (batch.payload_.size() > kMaxBatchBytes) {
    return Status::invalid_argument("a batch of " + std::to_string(batch.payload_.size()) + " bytes, at most " +
                                    std::to_string(kMaxBatchBytes) + " are allowed");
  }
  if (batch.count_ == 0) {
    if (sequence != nullptr) *sequence = clock_.visible();
    return {};
  }

  std::vector<CommitOperation> operations;
  operations.reserve(batch.count_);
  const IndexState* state = nullptr;
  for (std::string_view rest = batch.payload_; !rest.empty();) {
    Operation operation;
    if (Status status = detail::decode_operation(&rest, &operation); !status.is_ok()) return status;
    if (state == nullptr || state->id != operation.index) {
      for (const auto& named : batch.indexes_) {
        if (named->id == operation.index) state = named.get();
      }
    }
    operations.push_back({operation.index, state->kind, operation.type == OperationType::kErase, operation.key,
                          operation.value});
  }
  CommitResult result;
  const std::array pieces{std::string_view(batch.payload_)};
  Status status = commit(operations, pieces, options.durability, &result);
  if (sequence != nullptr) *sequence = result.sequence;
  return status;
}

Status EngineCore::commit(std::span<const CommitOperation> operations, std::span<const std::string_view> payload,
                          Durability durability, CommitResult* result) {
  if (Status status = admit(); !status.is_ok()) return status;
  Status status = pipeline_->commit(operations, payload, durability, result);
  if (result->sequence != 0) {
    commits_.add();
    operations_.add(operations.size());
    freeze_if_full(result->generation_bytes);
  }
  return status;
}

Status EngineCore::sync() {
  const WriteGuard guard(*this);
  return guard ? log_->sync() : engine_closed();
}

}  // namespace scree
