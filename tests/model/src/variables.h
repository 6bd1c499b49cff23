// SPDX-License-Identifier: Apache-2.0
//
// What the engine knows of each variable in an execution: an atomic's writes, who touched it when, whether it still
// exists. Variables are found by their address, since their own memory may be gone.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "clock.h"
#include "scree_model/hooks.h"

namespace scree::model {

using hooks::Bits;
using hooks::Site;

// Where an access stands: a Site of an atomic operation, or the return address of a plain one.
struct Place {
  Site site{nullptr, 0};
  const void* caller = nullptr;
};

struct Write {
  Bits value;
  Knowledge released;  // what whoever reads it and acquires learns
  int thread;
  std::uint32_t step;
};

// The highest position in the modification order that one thread has read or written, as of each of its times.
class Floor {
 public:
  void clear() { reached_.clear(); }
  void reach(Time time, std::uint32_t position) {
    if (reached_.empty() ? position != 0 : position > reached_.back().second) reached_.emplace_back(time, position);
  }
  // What it had reached at `time`.
  std::uint32_t at(Time time) const {
    for (std::size_t i = reached_.size(); i-- != 0;) {
      if (reached_[i].first <= time) return reached_[i].second;
    }
    return 0;
  }

 private:
  std::vector<std::pair<Time, std::uint32_t>> reached_;
};

struct Access {
  Time time = 0;  // 0: none
  Place place;
};

struct Variable {
  enum class Kind : std::uint8_t { kAtomic, kPlain, kMutex };
  enum class State : std::uint8_t { kAlive, kDestroyed, kFreed };

  std::uintptr_t address = 0;
  Kind kind = Kind::kAtomic;
  State state = State::kAlive;
  std::uint8_t size = 0;
  int number = 0;
  int next_in_block = -1;
  const char* name = nullptr;
  // Its construction happens before every use.
  int constructor = 0;
  Time constructed = 0;
  int destroyer = 0;
  Place destroyed_at;
  Place first;  // of an operation on it: a name, where it has no other

  std::array<Access, kMaxThreads> accesses;  // the last of each thread; of a Plain: the last read
  // Plain: the last write.
  int writer = 0;
  Access write;
  // Atomic: in modification order, from the value it was constructed with.
  std::vector<Write> writes;
  std::array<Floor, kSlots> floors;
  // How often in a row each thread has read the same write.
  struct Spin {
    std::uint32_t position = 0;
    std::uint32_t count = 0;
    int line = 0;
    std::uint64_t own_writes = 0;  // of the thread, then: a loop that writes does not only wait
  };
  std::array<Spin, kMaxThreads> spins;
  // Mutex.
  int owner = -1;
  Knowledge unlocked;
};

class Variables {
 public:
  Variables() : slots_(1024) {}

  void reset() {
    used_ = 0;
    occupied_ = 0;
    ++execution_;
  }
  // Null if nothing was ever at this address.
  Variable* find(const void* address) {
    const auto key = reinterpret_cast<std::uintptr_t>(address);
    Slot& slot = slots_[place_of(key)];
    return slot.execution == execution_ && slot.key == key ? pool_[slot.index].get() : nullptr;
  }
  // A new one, which takes the place of what was there before.
  Variable& add(const void* address, Variable::Kind kind);
  Variable& at(int number) { return *pool_[static_cast<std::size_t>(number)]; }
  int count() const { return static_cast<int>(used_); }

 private:
  struct Slot {
    std::uintptr_t key = 0;
    std::uint64_t execution = 0;
    std::uint32_t index = 0;
  };

  // Of the key, or of the free slot where it belongs.
  std::size_t place_of(std::uintptr_t key) const {
    std::size_t at = (key * 0x9E37'79B9'7F4A'7C15u >> 32) & (slots_.size() - 1);
    while (slots_[at].execution == execution_ && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow();

  std::uint64_t execution_ = 1;
  std::vector<Slot> slots_;  // a power of two; those of other executions are free
  std::size_t occupied_ = 0;
  std::vector<std::unique_ptr<Variable>> pool_;  // kept from one execution to the next, for their vectors' memory
  std::size_t used_ = 0;
};

}  // namespace scree::model
