// SPDX-License-Identifier: Apache-2.0
//
// Removal of the entries of a TreeIndex between two bounds: whole leaves with what they have, and what lies beside them
// one by one. In pieces, each under a barrier of its own, so that no reclamation is held back for long.

#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <scree/bound.h>
#include <scree/detail/tree_cursor.h>
#include <scree/detail/tree_range.h>
#include <scree/detail/tree_structure.h>
#include <scree/detail/tree_writer.h>
#include <scree/ebr.h>

namespace scree::detail {

// The bounds outlive it.
template <class Slots, class Lower, class Upper>
class TreeRangeRemoval {
  using Structure = TreeStructure<Slots>;
  using Refusal = typename Structure::Refusal;
  using Key = typename Slots::Key;

 public:
  TreeRangeRemoval(Structure& structure, const Lower& lower, const Upper& upper) noexcept
      : structure_(structure), lower_(lower), upper_(upper) {}

  // Removes leaves below one parent, or some entries. False if that was all; else it is to be called again, under
  // another barrier. With `refusal` it does not wait; where that says for what it would have to, it is called again
  // after that. If it throws, what was removed is, and it is over.
  bool go_on(const ebr::Barrier& barrier, Refusal* refusal) {
    return last_ ? go_on_from(Bound<const Key&>{BoundKind::kExcluded, *last_}, barrier, refusal)
                 : go_on_from(lower_, barrier, refusal);
  }
  // So far.
  std::size_t removed() const noexcept { return removed_; }

 private:
  // As it is shown.
  struct Shown {
    key_view_t<Key> key;
  };

  template <class From>
  bool go_on_from(const From& from, const ebr::Barrier& barrier, Refusal* refusal) {
    const auto is_within = [&](const auto& key) { return !is_beyond<false, Slots>(structure_.compare(), key, upper_); };
    TreeCursor<Slots> at(structure_, barrier);
    seek_bound<false>(at, structure_.compare(), from);
    if (!at.valid() || !is_within(at.key())) return false;
    const auto goes = [&](const typename Structure::View& view) {
      if (view.count() == 0) return true;
      return !is_beyond<true, Slots>(structure_.compare(), Slots::key(view.place_at(0)), from) &&
             is_within(Slots::key(view.place_at(view.count() - 1)));
    };
    const auto taken = structure_.remove_leaves(barrier, goes, Slots::probe(at.key()), refusal);
    if (taken.count != 0) {
      removed_ += taken.count;
      last_ = Key(Slots::key(taken.last));
      return true;
    }
    if (refusal != nullptr && *refusal) return true;
    std::optional<Shown> done;
    for (unsigned left = kLeafBase; left != 0 && at.valid() && is_within(at.key()); --left, at.next()) {
      if (!remove(at.key(), barrier, refusal)) break;
      done.emplace(Shown{at.key()});
    }
    // No key is removed twice, also not if it comes in again.
    if (done) last_ = Key(done->key);
    return (refusal != nullptr && *refusal) || (at.valid() && is_within(at.key()));
  }
  // False if it is refused.
  template <class Query>
  bool remove(const Query& key, const ebr::Barrier& barrier, Refusal* refusal) {
    TreeWriter<Slots> writer(structure_, barrier, refusal);
    const auto probe = Slots::probe(key);
    for (writer.seek(probe); !writer.is_refused();) {
      if (!writer.place()) return true;
      if (!writer.take(probe)) continue;
      ++removed_;
      return true;
    }
    return false;
  }

  Structure& structure_;
  const Lower& lower_;
  const Upper& upper_;
  std::optional<Key> last_;  // up to which all is done; none: nothing is
  std::size_t removed_ = 0;
};

}  // namespace scree::detail
