// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scree {

class Index;
struct IndexState;

// An ordered list of writes, to any of one engine's indexes, that becomes visible and durable as a whole or not at
// all. A later write to the same key of the same index wins. Not thread-safe. Limits on keys, values and the whole batch
// are checked when it is written (`Engine::write`), so that one place reports them.
class WriteBatch {
 public:
  // O(key + value). The bytes are copied.
  void put(const Index& index, std::string_view key, std::string_view value);
  void erase(const Index& index, std::string_view key);

  void clear() noexcept;
  std::size_t count() const noexcept { return count_; }
  std::size_t byte_size() const noexcept { return payload_.size(); }

 private:
  friend class EngineCore;

  void add(const Index& index, char operation, std::string_view key);

  std::string payload_;  // as in engine/FORMAT.md, section "Batch"
  std::size_t count_ = 0;
  std::size_t largest_key_ = 0;
  std::size_t largest_value_ = 0;
  std::vector<std::shared_ptr<const IndexState>> indexes_;  // that it names; a null one came from an invalid handle
};

}  // namespace scree
