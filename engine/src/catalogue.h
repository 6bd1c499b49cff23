// SPDX-License-Identifier: Apache-2.0
//
// Catalogue: which indexes exist, for which commits. Ids are never reused.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <scree/options.h>
#include <scree/status.h>

#include "index_state.h"

namespace scree::detail {

// Not thread-safe: its owner guards it.
class Catalogue {
 public:
  explicit Catalogue(std::uint64_t engine) noexcept : engine_(engine) {}

  std::uint32_t next_id() const noexcept { return next_id_; }

  // Null if no living index has the name (the id).
  std::shared_ptr<IndexState> find(std::string_view name) const;
  std::shared_ptr<IndexState> find(std::uint32_t id) const;
  std::vector<std::shared_ptr<IndexState>> living() const;  // by name

  // Corruption if a living index has the name or if the id is not a new one.
  Status add(std::uint32_t id, IndexKind kind, std::string_view name, std::uint64_t created_at,
             std::shared_ptr<IndexState>* added);
  void drop(const std::shared_ptr<IndexState>& index, std::uint64_t dropped_at);

  // The ids of the indexes that existed at commit `at`, ascending.
  std::vector<std::uint32_t> ids(std::uint64_t at) const;
  // As of commit `at`: engine/FORMAT.md, section "Catalogue".
  std::string encode(std::uint64_t at) const;
  Status decode(std::string_view bytes);

  // Forgets the indexes dropped up to commit `at`; their ids.
  std::vector<std::uint32_t> forget_dropped(std::uint64_t at);

 private:
  const std::uint64_t engine_;
  std::uint32_t next_id_ = 1;
  std::map<std::uint32_t, std::shared_ptr<IndexState>> by_id_;  // dropped ones too, until forgotten
};

}  // namespace scree::detail
