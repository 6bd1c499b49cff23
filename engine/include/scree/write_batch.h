// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace scree {

class Index;

// An ordered list of writes, to any of one engine's indexes, that becomes visible and durable as a whole or
// not at all. A later write to the same key of the same index wins. Not thread-safe. Limits on keys, values and the whole
// batch are checked when it is written (`Engine::write`), so that one place reports them.
class WriteBatch {
 public:
  // O(key + value). The bytes are copied.
  void put(const Index& index, std::string_view key, std::string_view value);
  void erase(const Index& index, std::string_view key);

  void clear() noexcept;
  std::size_t count() const noexcept { return count_; }
  std::size_t byte_size() const noexcept { return payload_.size(); }

 private:
  friend class WriteBatchAccess;

  // Encoded as in engine/FORMAT.md, section "Batch".
  std::string payload_;
  std::size_t count_ = 0;
  std::size_t largest_key_ = 0;
  std::size_t largest_value_ = 0;
  std::uint64_t store_ = 0;  // the identity of the engine whose indexes it names; 0 while empty
  bool mixed_stores_ = false;
};

}  // namespace scree
