// SPDX-License-Identifier: Apache-2.0
#include "variables.h"

namespace scree::model {

Variable& Variables::add(const void* address, Variable::Kind kind) {
  if (occupied_ * 2 >= slots_.size()) grow();
  if (used_ == pool_.size()) pool_.push_back(std::make_unique<Variable>());
  const auto key = reinterpret_cast<std::uintptr_t>(address);
  Slot& slot = slots_[place_of(key)];
  if (slot.execution != execution_) ++occupied_;
  slot = {key, execution_, static_cast<std::uint32_t>(used_)};

  Variable& v = *pool_[used_];
  v.address = key;
  v.kind = kind;
  v.state = Variable::State::kAlive;
  v.size = 0;
  v.number = static_cast<int>(used_++);
  v.next_in_block = -1;
  v.name = nullptr;
  v.constructor = 0;
  v.constructed = 0;
  v.first = {};
  v.accesses = {};
  v.writer = 0;
  v.write = {};
  v.writes.clear();
  for (Floor& floor : v.floors) floor.clear();
  v.spins = {};
  v.owner = -1;
  v.unlocked = {};
  return v;
}

void Variables::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.execution == execution_) slots_[place_of(slot.key)] = slot;
  }
}

}  // namespace scree::model
