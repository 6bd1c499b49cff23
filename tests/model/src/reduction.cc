// SPDX-License-Identifier: Apache-2.0
#include "reduction.h"

#include <algorithm>

namespace scree::model {

void Reduction::reset() {
  ++execution_;
  steps_.clear();
  known_ = {};
  seen_ = {};
  everything_ = {};
  all_ = {};
  sc_fences_ = {};
  sc_accesses_ = {};
  occupied_ = 0;
  last_thread_ = -1;
  block_ = 0;
}

Reduction::AtAddress& Reduction::at(std::uintptr_t address) {
  if (occupied_ * 2 >= addresses_.size()) {
    std::vector<AtAddress> old(addresses_.size() * 2);
    old.swap(addresses_);
    occupied_ = 0;
    for (const AtAddress& entry : old) {
      if (entry.execution == execution_) at(entry.address) = entry;
    }
  }
  std::size_t i = (address * 0x9E37'79B9'7F4A'7C15u >> 32) & (addresses_.size() - 1);
  while (addresses_[i].execution == execution_ && addresses_[i].address != address) {
    i = (i + 1) & (addresses_.size() - 1);
  }
  if (addresses_[i].execution != execution_) {
    addresses_[i] = {address, execution_, {}, {}, {}};
    ++occupied_;
  }
  return addresses_[i];
}

// What precedes a step by its process's own order: also its execution, of a delayed store; and what became visible
// before it, of a thread's later store.
Reduction::Known Reduction::known_before(int process, const Intent& intent, int issued) const {
  Known known = known_[process];
  if (issued >= 0) known.join(steps_[static_cast<std::size_t>(issued)].known);
  if (process < kMaxThreads && intent.kind != Intent::Kind::kLoad) known.join(known_[process + kMaxThreads]);
  return known;
}

void Reduction::add(int process, const Intent& intent, int choice, std::uint32_t able, int issued) {
  const int number = static_cast<int>(steps_.size());
  if (process < kMaxThreads && process != last_thread_) {
    last_thread_ = process;
    block_ = number;
  }
  Known known = known_before(process, intent, issued);
  known.join(everything_);
  const auto self = static_cast<std::size_t>(process);
  if (intent.kind == Intent::Kind::kEverything) {
    known.join(all_);
    known.steps[self] = static_cast<std::uint16_t>(number + 1);
    everything_ = known;
  } else {
    const bool fences = intent.kind == Intent::Kind::kFence;
    if (intent.sc) known.join(sc_fences_);
    if (intent.sc && fences) known.join(sc_accesses_);
    AtAddress* place = fences ? nullptr : &at(intent.address);
    const bool loads = intent.kind == Intent::Kind::kLoad;
    if (place != nullptr) known.join(loads ? place->writes : place->all);
    if (place != nullptr && loads && intent.sc) known.join(place->sc_loads);
    known.steps[self] = static_cast<std::uint16_t>(number + 1);
    if (intent.sc) (fences ? sc_fences_ : sc_accesses_).join(known);
    if (place != nullptr) place->all.join(known);
    if (place != nullptr && !loads) place->writes = known;
    if (place != nullptr && loads && intent.sc) place->sc_loads.join(known);
  }
  all_.join(known);
  known_[process] = known;
  steps_.push_back({process, intent, choice, block_, able, known});
  moved(process);
}

void Reduction::find_reversals(int process, const Intent& intent, int issued, bool next, bool careful,
                               Choices& choices) {
  const std::size_t from = seen_[process];
  Known known = known_before(process, intent, issued);
  for (std::size_t i = steps_.size(); i-- > from;) {
    const Step& step = steps_[i];
    if (!step.intent.depends_on(intent) || (step.intent.unlocks && intent.locks)) continue;
    if (step.process != process && !known.has(step.process, i)) {
      if (next) {
        want(static_cast<int>(i), beginners(i, process, known), choices);
      } else {
        want_all(static_cast<int>(i), choices);
      }
      if (careful) {
        want(static_cast<int>(i), 1u << process, choices);
        if (step.block != static_cast<int>(i)) want(step.block, 1u << process, choices);
      }
    }
    known.join(step.known);
    // What depends on a write and came before it is ordered before it.
    if (step.intent.kind == Intent::Kind::kEverything) return;
    if (step.intent.kind == Intent::Kind::kWrite && intent.kind != Intent::Kind::kEverything && !intent.sc) return;
  }
}

// The processes of which a step can come first, once everything that is ordered after `first` is left out and the next
// step of `process`, which is ordered after `known`, is put at the end.
std::uint32_t Reduction::beginners(std::size_t first, int process, const Known& known) const {
  std::uint32_t found = 0;
  std::uint32_t begun = 0;
  std::vector<std::size_t> kept;
  const int reversed = steps_[first].process;
  for (std::size_t i = first + 1; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.known.has(reversed, first)) continue;
    const bool earliest =
        (begun & 1u << step.process) == 0 &&
        std::none_of(kept.begin(), kept.end(), [&](std::size_t k) { return step.known.has(steps_[k].process, k); });
    begun |= 1u << step.process;
    if (earliest) found |= 1u << step.process;
    kept.push_back(i);
  }
  const bool earliest = (begun & 1u << process) == 0 && std::none_of(kept.begin(), kept.end(), [&](std::size_t k) {
                          return known.has(steps_[k].process, k);
                        });
  if (earliest) found |= 1u << process;
  return found;
}

// One of the processes is to be tried instead of a step.
void Reduction::want(int number, std::uint32_t processes, Choices& choices) {
  const Step& step = steps_[static_cast<std::size_t>(number)];
  if (step.choice < 0) return;
  Choice& choice = choices.at(step.choice);
  unsigned here = 0;
  for (std::uint32_t i = 0; i < choice.count; ++i) {
    if ((processes & 1u << choice.candidates[i]) != 0) here |= 1u << i;
  }
  if ((here & (choice.wanted | choice.asleep)) != 0) return;
  if (here != 0) {
    choice.wanted = static_cast<Alternatives>(choice.wanted | (here & -here));
  } else if ((step.able & processes) == 0) {  // not only beyond the bound
    want_all(number, choices);
  }
}

void Reduction::want_all(int number, Choices& choices) {
  const Step& step = steps_[static_cast<std::size_t>(number)];
  if (step.choice < 0) return;
  Choice& choice = choices.at(step.choice);
  choice.wanted = static_cast<Alternatives>((1u << choice.count) - 1);
}

}  // namespace scree::model
