// SPDX-License-Identifier: Apache-2.0

#include "catalogue.h"

#include <algorithm>

#include <scree/coding.h>

namespace scree::detail {

namespace {
constexpr char kCatalogueVersion = 1;
}

std::shared_ptr<IndexState> Catalogue::find(std::string_view name) const {
  for (const auto& [id, index] : by_id_) {
    if (index->name == name && !index->is_dropped()) return index;
  }
  return nullptr;
}

std::shared_ptr<IndexState> Catalogue::find(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() || found->second->is_dropped() ? nullptr : found->second;
}

std::vector<std::shared_ptr<IndexState>> Catalogue::living() const {
  std::vector<std::shared_ptr<IndexState>> indexes;
  for (const auto& [id, index] : by_id_) {
    if (!index->is_dropped()) indexes.push_back(index);
  }
  std::sort(indexes.begin(), indexes.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
  return indexes;
}

Status Catalogue::add(std::uint32_t id, IndexKind kind, std::string_view name, std::uint64_t created_at,
                      std::shared_ptr<IndexState>* added) {
  if (id == 0 || by_id_.contains(id)) return Status::corruption("catalogue: index id " + std::to_string(id) + " twice");
  if (find(name) != nullptr) return Status::corruption("catalogue: index \"" + std::string(name) + "\" twice");
  auto index = std::make_shared<IndexState>();
  index->engine = engine_;
  index->id = id;
  index->kind = kind;
  index->name = name;
  index->created_at = created_at;
  by_id_.emplace(id, index);
  next_id_ = std::max(next_id_, id + 1);
  if (added != nullptr) *added = std::move(index);
  return {};
}

void Catalogue::drop(const std::shared_ptr<IndexState>& index, std::uint64_t dropped_at) {
  index->dropped_at.store(dropped_at, memory_order_release);
}

std::vector<std::uint32_t> Catalogue::ids(std::uint64_t at) const {
  std::vector<std::uint32_t> ids;
  for (const auto& [id, index] : by_id_) {
    if (index->created_at <= at && index->dropped_at.load(memory_order_acquire) > at) ids.push_back(id);
  }
  return ids;
}

std::string Catalogue::encode(std::uint64_t at) const {
  const std::vector<std::uint32_t> ids = this->ids(at);
  std::string bytes(1, kCatalogueVersion);
  put_varint32(&bytes, next_id_);
  put_varint32(&bytes, static_cast<std::uint32_t>(ids.size()));
  for (const std::uint32_t id : ids) {
    const IndexState& index = *by_id_.at(id);
    put_varint32(&bytes, id);
    bytes.push_back(static_cast<char>(index.kind));
    put_varint64(&bytes, index.created_at);
    put_length_prefixed(&bytes, index.name);
  }
  return bytes;
}

Status Catalogue::decode(std::string_view bytes) {
  const auto damaged = [] { return Status::corruption("catalogue: not well-formed"); };
  if (bytes.empty()) return damaged();
  if (bytes.front() != kCatalogueVersion) {
    return Status::not_supported("catalogue: version " + std::to_string(static_cast<unsigned char>(bytes.front())));
  }
  bytes.remove_prefix(1);
  std::uint32_t next_id = 0;
  std::uint32_t count = 0;
  if (!get_varint32(&bytes, &next_id) || !get_varint32(&bytes, &count)) return damaged();
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t id = 0;
    std::uint64_t created_at = 0;
    std::string_view name;
    if (!get_varint32(&bytes, &id) || bytes.empty()) return damaged();
    const auto kind = static_cast<IndexKind>(bytes.front());
    bytes.remove_prefix(1);
    if (kind != IndexKind::kTree && kind != IndexKind::kHash) return damaged();
    if (!get_varint64(&bytes, &created_at) || !get_length_prefixed(&bytes, &name)) return damaged();
    if (Status status = add(id, kind, name, created_at, nullptr); !status.is_ok()) return status;
  }
  if (!bytes.empty() || next_id < next_id_) return damaged();
  next_id_ = next_id;
  return {};
}

std::vector<std::uint32_t> Catalogue::forget_dropped(std::uint64_t at) {
  std::vector<std::uint32_t> ids;
  for (auto it = by_id_.begin(); it != by_id_.end();) {
    if (it->second->dropped_at.load(memory_order_acquire) <= at) {
      ids.push_back(it->first);
      it = by_id_.erase(it);
    } else {
      ++it;
    }
  }
  return ids;
}

}  // namespace scree::detail
