// SPDX-License-Identifier: Apache-2.0
//
// A TreeIndex for the explorer, whose changes that depend on what is there can be broken where no single operation does
// it: by Plant::switch_on() of a name below.

#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <scree/ebr.h>
#include <scree/tree_index.h>

#include "model/explorer.h"

namespace scree::model {

template <class K, class V>
class BreakableTree : public TreeIndex<K, V> {
  using Base = TreeIndex<K, V>;
  using Slots = scree::detail::TreeSlots<K, V, std::less<>>;
  using Structure = scree::detail::TreeStructure<Slots>;
  using Place = typename Structure::Place;
  using Writer = scree::detail::TreeWriter<Slots>;
  using Draft = scree::detail::TreeDraft<Slots>;

 public:
  using typename Base::reference;
  static constexpr const char* kBlindUpdate = "an_update_that_puts_what_it_made_of_another_value";
  static constexpr const char* kBlindReplace = "a_handle_that_replaces_what_it_does_not_show";
  static constexpr const char* kPassesEmptyLeaf = "a_pop_that_passes_an_empty_leaf";
  static constexpr const char* kStopsAtEmptyLeaf = "a_pop_that_takes_an_empty_leaf_for_the_end";
  static constexpr const char* kLooksOnce = "a_range_whose_leaves_are_not_looked_at_again";

  template <class F>
  bool update(const K& key, const F& f) {
    if (!planted(kBlindUpdate)) return Base::update(key, f);
    const ebr::Barrier barrier;
    const auto probe = Slots::probe(key);
    Writer writer(this->structure_, barrier);
    writer.seek(probe);
    if (!writer.place()) return false;
    put(writer, probe, key, f(Slots::value(*writer.place().payload)));
    return true;
  }

  // Puts the value there if there is what was shown to `look`; whether it did.
  template <class Look>
  bool exchange(const K& key, int value, const Look& look) {
    const ebr::Barrier barrier;
    if (!planted(kBlindReplace)) {
      auto entry = this->entry(key, barrier);
      const int shown = look(entry.is_occupied() ? &entry.value() : nullptr);
      if (entry.replace(value)) return true;
      check(look(entry.is_occupied() ? &entry.value() : nullptr) != shown, "what was refused is another one");
      return false;
    }
    const auto probe = Slots::probe(key);
    Writer writer(this->structure_, barrier);
    writer.seek(probe);
    look(writer.place() ? &Slots::value(*writer.place().payload) : nullptr);
    put(writer, probe, key, value);
    return true;
  }

  std::optional<reference> pop_first(const ebr::Barrier& barrier) {
    return planted(kPassesEmptyLeaf) || planted(kStopsAtEmptyLeaf) ? pop<false>(barrier) : Base::pop_first(barrier);
  }
  std::optional<reference> pop_last(const ebr::Barrier& barrier) {
    return planted(kPassesEmptyLeaf) || planted(kStopsAtEmptyLeaf) ? pop<true>(barrier) : Base::pop_last(barrier);
  }
  std::size_t remove_range(const Bound<K>& lower, const Bound<K>& upper) {
    if (!planted(kLooksOnce)) return Base::remove_range(lower, upper);
    const ebr::Barrier barrier;
    int looks = 0;
    const auto goes = [&](const typename Structure::View& view) {
      return ++looks % 2 == 0 || (view.count() != 0 && Slots::key(view.place_at(0)) >= lower.key &&
                                  Slots::key(view.place_at(view.count() - 1)) <= upper.key);
    };
    return this->structure_.remove_leaves(barrier, goes, Slots::probe(lower.key), nullptr).count;
  }

 private:
  template <class Probe, class Value>
  static void put(Writer& writer, const Probe& probe, const K& key, Value&& value) {
    Draft draft;
    draft.make(writer.memory(), probe, key, std::forward<Value>(value));
    while (!writer.put(probe, draft.content())) {
    }
    draft.published();
  }
  static std::optional<reference> shown(const Place& place) {
    return std::optional<reference>(std::in_place, Slots::key(place), Slots::value(*place.payload));
  }

  template <bool kLast>
  std::optional<reference> pop(const ebr::Barrier& barrier) {
    const scree::detail::EdgeProbe end{.above_all = kLast};
    Writer writer(this->structure_, barrier);
    for (writer.seek(end);;) {
      if (const Place place = writer.place()) {
        if (writer.take(end)) return shown(place);
        continue;
      }
      if (planted(kStopsAtEmptyLeaf)) return std::nullopt;
      auto next = this->cursor(barrier);
      kLast ? next.seek_to_last() : next.seek_to_first();
      if (!next.valid()) return std::nullopt;
      const K key(next.key());
      const auto probe = Slots::probe(key);
      Writer there(this->structure_, barrier);
      for (there.seek(probe); there.place();) {
        const Place place = there.place();
        if (there.take(probe)) return shown(place);
      }
      writer.seek(end);
    }
  }
};

}  // namespace scree::model
