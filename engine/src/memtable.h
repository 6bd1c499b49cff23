// SPDX-License-Identifier: Apache-2.0
//
// Memtable: one index within one generation, a versioned tree or hash of byte strings.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <scree/options.h>
#include <scree/versioned_hash.h>
#include <scree/versioned_tree.h>

namespace scree::detail {

class Memtable {
 public:
  using Tree = VersionedTree<std::string, std::string>;
  using Hash = VersionedHash<std::string, std::string>;
  using Chain = Tree::Chain;
  using VersionType = Tree::VersionType;

  Memtable(IndexKind kind, CommitClock& clock)
      : tree_(kind == IndexKind::kTree ? std::make_unique<Tree>(clock) : nullptr),
        hash_(kind == IndexKind::kHash ? std::make_unique<Hash>(clock) : nullptr) {}

  // Null if the index is a hash.
  const Tree* tree() const noexcept { return tree_.get(); }
  const Hash* hash() const noexcept { return hash_.get(); }

  // The chain of `key`, inserted empty if need be; adds what that takes to `*bytes`.
  Chain& chain(std::string_view key, const ebr::Barrier& barrier, std::size_t* bytes) {
    const auto [chain, inserted] = tree_ ? tree_->chain(key, barrier) : hash_->chain(key, barrier);
    if (inserted) *bytes += key.size() + kKeyOverhead;
    return chain;
  }
  // Null if the key was never written.
  const Chain* find(std::string_view key, const ebr::Barrier& barrier) const {
    return tree_ ? tree_->index().peek(key, barrier) : hash_->index().peek(key, barrier);
  }

 private:
  // The entry around the key, its slot in a node that is two thirds full, and its allocation.
  static constexpr std::size_t kKeyOverhead = 16 + 24 + kAllocationBytes;

  std::unique_ptr<Tree> tree_;
  std::unique_ptr<Hash> hash_;
};

}  // namespace scree::detail
