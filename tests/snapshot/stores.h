// SPDX-License-Identifier: Apache-2.0
//
// What the checkers of versioned indexes run through: a versioned tree (index 0) and a versioned hash (index 1) of one
// clock. Numbers stand for keys and values, whatever their types.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <scree/versioned_batch.h>
#include <scree/versioned_hash.h>
#include <scree/versioned_tree.h>

#include "support/commit_history.h"

namespace scree::test {

struct Numbers {
  using Key = std::uint64_t;
  using Value = std::int64_t;
  static Key key(std::uint64_t n) { return n; }
  static std::uint64_t key_number(Key key) { return key; }
  static Value value(std::int64_t n) { return n; }
  static std::int64_t value_number(Value value) { return value; }
};

// Ascending for n < 64: zero bytes, bytes above 127, keys that are prefixes of others. Value 0 is the empty string.
struct Bytes {
  using Key = std::string;
  using Value = std::string;
  static Key key(std::uint64_t n) {
    std::string key(1, static_cast<char>(n / 3 * 12));
    key.append(n % 3, '\0');
    return key;
  }
  static std::uint64_t key_number(std::string_view key) {
    return static_cast<unsigned char>(key[0]) / 12 * 3 + key.size() - 1;
  }
  static Value value(std::int64_t n) { return n == 0 ? "" : std::to_string(n); }
  static std::int64_t value_number(std::string_view value) {
    return value.empty() ? 0 : std::stoll(std::string(value));
  }
};

template <class Types = Numbers>
class RealStore {
 public:
  using Snapshot = SnapshotBarrier;
  using Tree = VersionedTree<typename Types::Key, typename Types::Value>;
  using Hash = VersionedHash<typename Types::Key, typename Types::Value>;

  CommitClock& clock() { return clock_; }
  const Tree& tree() const { return tree_; }
  Snapshot snapshot() { return Snapshot(clock_); }

  // The commit's number, once it is visible.
  Sequence commit(const std::vector<PlaceWrite>& writes) {
    if (writes.size() == 1) {
      return on(writes[0].place, [&](auto& index, const auto& key) {
        return writes[0].value ? index.put(key, Types::value(*writes[0].value)) : index.erase(key);
      });
    }
    VersionedBatch batch;
    for (const PlaceWrite& w : writes) {
      on(w.place, [&](auto& index, const auto& key) {
        if (w.value) {
          batch.put(index, key, Types::value(*w.value));
        } else {
          batch.erase(index, key);
        }
      });
    }
    return apply(std::move(batch));
  }

  std::optional<std::int64_t> get(Place place) {
    return on(place, [](auto& index, const auto& key) { return number(index.get(key)); });
  }
  std::optional<std::int64_t> get(Place place, const Snapshot& snapshot) {
    return on(place, [&](auto& index, const auto& key) { return number(index.get(key, snapshot)); });
  }
  Contents contents(const Snapshot& snapshot) {
    Contents seen;
    ebr::Barrier barrier;
    auto cursor = tree_.cursor(snapshot, barrier);
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) {
      seen[{0, Types::key_number(cursor.key())}] = Types::value_number(cursor.value());
    }
    hash_.scan(snapshot, [&](const auto& key, const auto& value) {
      seen[{1, Types::key_number(key)}] = Types::value_number(value);
      return true;
    });
    return seen;
  }

  // How many versions of a key are kept.
  std::size_t versions(Place place) {
    ebr::Barrier barrier;
    return on(place, [&](auto& index, const auto& key) -> std::size_t {
      const auto* chain = index.index().peek(key, barrier);
      if (chain == nullptr) return 0;
      std::size_t n = 0;
      for (auto* v = chain->newest(); v != nullptr; v = v->next.load(memory_order_acquire)) ++n;
      return n;
    });
  }

 protected:
  template <class F>
  auto on(Place place, F&& f) {
    return place.index == 0 ? f(tree_, Types::key(place.key)) : f(hash_, Types::key(place.key));
  }
  void link(const PlaceWrite& write, Sequence sequence) {
    ebr::Barrier barrier;
    on(write.place, [&](auto& index, const auto& key) {
      using Version = typename std::decay_t<decltype(index)>::VersionType;
      auto& chain = index.chain(key, barrier).first;
      Version* version = write.value ? Version::make(Types::value(*write.value)) : Version::make_tombstone();
      version->sequence = sequence;
      chain.link(version);
    });
  }
  void prune(Place place, Sequence horizon) {
    ebr::Barrier barrier;
    on(place, [&](auto& index, const auto& key) { index.chain(key, barrier).first.prune(barrier, horizon); });
  }

 private:
  static std::optional<std::int64_t> number(const std::optional<typename Types::Value>& value) {
    return value ? std::optional<std::int64_t>(Types::value_number(*value)) : std::nullopt;
  }

 protected:
  CommitClock clock_;
  Tree tree_{clock_};
  Hash hash_{clock_};
};

}  // namespace scree::test
