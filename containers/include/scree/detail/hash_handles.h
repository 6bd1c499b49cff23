// SPDX-License-Identifier: Apache-2.0
//
// How handles of a hash container's entries (hash_entry.h) are made. Nothing is returned where it is refused.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <scree/ebr.h>
#include <scree/hash_entry.h>

namespace scree {

template <class Core>
class HashHandles {
 public:
  using Refusal = typename Core::Refusal;
  using Occupied = HashOccupied<Core>;
  template <class Key>
  using Entry = HashEntry<Core, Key>;

  // Under a barrier. A key that is given as an rvalue is moved from only if it is not refused.
  template <class Key>
  static std::optional<Entry<Key>> entry(Core& core, Key&& key, Refusal* refusal) {
    const auto& sought = detail::key_to_put<typename Core::Key>(key);
    const std::uint64_t hash = core.hash_of(sought);
    Occupied held = hold(core, hash, refusal);
    if (!held.held_) return std::nullopt;
    held.place_ = core.find_held(held.held_, sought, hash);
    Entry<Key> result(key, hash);
    static_cast<Occupied&>(result) = std::move(held);
    return result;
  }
  // Of a key that is there; else nothing is held.
  template <class Key>
  static std::optional<Occupied> get(Core& core, const Key& key, Refusal* refusal) {
    const auto& sought = core.lookup(key);
    const std::uint64_t hash = core.hash_of(sought);
    Occupied held = hold(core, hash, refusal);
    if (!held.held_) return std::nullopt;
    held.place_ = core.find_held(held.held_, sought, hash);
    if (held.place_) {
      Core::touch(held.held_, held.place_);
    } else {
      held.release();
    }
    return held;
  }
  // The first one for which `accepts(key, value)`, behind what `held` has come to. Its state is kept where it is
  // refused.
  template <class Accepts>
  static std::optional<Occupied> first(Core& core, Occupied& held, Accepts&& accepts, Refusal* refusal) {
    held.core_ = &core;
    for (;;) {
      const std::optional<bool> found = held.first(refusal);
      if (!found) return std::nullopt;
      if (!*found || accepts(held.key(), std::as_const(held.value()))) return std::move(held);
    }
  }

 private:
  static Occupied hold(Core& core, std::uint64_t hash, Refusal* refusal) {
    return Occupied(core, core.hold(hash, refusal));
  }
};

}  // namespace scree
