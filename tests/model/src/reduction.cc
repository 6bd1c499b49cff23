// SPDX-License-Identifier: Apache-2.0
#include "reduction.h"

namespace scree::model {

void Reduction::reset() {
  ++execution_;
  steps_.clear();
  known_ = {};
  seen_ = {};
  everything_ = {};
  all_ = {};
  sc_ = {};
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
    addresses_[i] = {address, execution_, {}, {}};
    ++occupied_;
  }
  return addresses_[i];
}

void Reduction::add(int process, const Intent& intent, int choice, std::uint32_t able, int issued) {
  const int number = static_cast<int>(steps_.size());
  if (process < kMaxThreads && process != last_thread_) {
    last_thread_ = process;
    block_ = number;
  }
  Known known = known_[process];
  known.join(everything_);
  if (issued >= 0) known.join(steps_[static_cast<std::size_t>(issued)].known);
  const auto self = static_cast<std::size_t>(process);
  if (intent.kind == Intent::Kind::kEverything) {
    known.join(all_);
    known.steps[self] = static_cast<std::uint16_t>(number + 1);
    everything_ = known;
  } else {
    if (intent.sc) known.join(sc_);
    AtAddress* place = intent.kind == Intent::Kind::kFence ? nullptr : &at(intent.address);
    const bool loads = intent.kind == Intent::Kind::kLoad;
    if (place != nullptr) known.join(loads ? place->writes : place->all);
    known.steps[self] = static_cast<std::uint16_t>(number + 1);
    if (intent.sc && intent.kind == Intent::Kind::kFence) sc_.join(known);
    if (place != nullptr) place->all.join(known);
    if (place != nullptr && !loads) place->writes = known;
  }
  all_.join(known);
  known_[process] = known;
  steps_.push_back({process, intent, choice, process < kMaxThreads ? block_ : number, able, known});
  moved(process);
}

void Reduction::find_reversal(int process, const Intent& intent, Choices& choices) {
  const std::size_t from = seen_[process];
  seen_[process] = steps_.size();
  const Known& known = known_[process];
  for (std::size_t i = steps_.size(); i-- > from;) {
    const Step& step = steps_[i];
    if (!step.intent.depends_on(intent)) continue;
    const bool ordered = step.process == process || known.steps[static_cast<std::size_t>(step.process)] > i;
    if (!ordered) {
      want(static_cast<int>(i), process, choices);
      if (step.block != static_cast<int>(i)) want(step.block, process, choices);
      return;
    }
    // What depends on a write and came before it is ordered before it.
    if (step.intent.kind == Intent::Kind::kEverything) return;
    if (step.intent.kind == Intent::Kind::kWrite && intent.kind != Intent::Kind::kEverything && !intent.sc) return;
  }
}

void Reduction::want(int number, int process, Choices& choices) {
  const Step& step = steps_[static_cast<std::size_t>(number)];
  if (step.choice < 0) return;
  Choice& choice = choices.at(step.choice);
  for (std::uint32_t i = 0; i < choice.count; ++i) {
    if (choice.candidates[i] == process) {
      choice.wanted = static_cast<Alternatives>(choice.wanted | 1u << i);
      return;
    }
  }
  if ((step.able & 1u << process) != 0) return;  // it may not, within the bound
  choice.wanted = static_cast<Alternatives>((1u << choice.count) - 1);
}

}  // namespace scree::model
