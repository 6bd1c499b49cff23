// SPDX-License-Identifier: Apache-2.0
//
// Dynamic partial-order reduction. Of two executions that differ only in the order of steps that commute, one is
// enough. So another thread need go first only where one of its later steps depends on the step that was taken there,
// and is not ordered after it already (Flanagan and Godefroid, POPL 2005). Where preemptions are bounded, the way there
// may cost one more than there is; so it must also go first where the thread of that step began to run, where that
// costs none (Coons, Musuvathi and McKinley, OOPSLA 2013).

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "choices.h"
#include "clock.h"

namespace scree::model {

// The step that a thread stands before: what it touches.
struct Intent {
  enum class Kind : std::uint8_t { kLoad, kWrite, kFence, kEverything };
  Kind kind = Kind::kEverything;
  bool sc = false;  // seq_cst operations and fences have an order of their own
  std::uintptr_t address = 0;
  bool locks = false;  // cannot be tried where the mutex is held: at an unlock
  bool unlocks = false;

  // Whether the order of the two can matter to anyone.
  bool depends_on(const Intent& other) const {
    if (kind == Kind::kEverything || other.kind == Kind::kEverything) return true;
    if (kind == Kind::kFence || other.kind == Kind::kFence) return sc && other.sc;
    if (address != other.address) return false;
    // A seq_cst load may not read what is older than what one before it has read.
    return kind != Kind::kLoad || other.kind != Kind::kLoad || (sc && other.sc);
  }
};

// What a scheduler chooses among: threads, then their first delayed stores, then the fences that a membarrier puts into
// them.
inline constexpr int kFences = 2 * kMaxThreads;
inline constexpr int kProcesses = 3 * kMaxThreads;

class Reduction {
 public:
  void reset();

  // A process took a step at a choice, or at none (-1). `issued`: of a delayed store, the step that executed it.
  void add(int process, const Intent& intent, int choice, std::uint32_t able, int issued);
  int last_step() const { return static_cast<int>(steps_.size()) - 1; }
  // What a process stands before has been compared with all steps so far.
  void looked(int process) { seen_[process] = steps_.size(); }
  // The process stands before another step than it did.
  void moved(int process) { seen_[process] = 0; }

  // A process stands before a step: wants it tried before those that it depends on. `issued`: as above. `next`: the
  // step is its next one, and not only one of those that follow. `careful`: also as a bound needs it.
  void find_reversals(int process, const Intent& intent, int issued, bool next, bool careful, Choices& choices);

 private:
  struct Known {
    // Per process: how many steps of the execution, up to its latest one that is ordered before.
    std::array<std::uint16_t, 16> steps{};
    bool has(int process, std::size_t step) const { return steps[static_cast<std::size_t>(process)] > step; }
    void join(const Known& other) {
      for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = steps[i] > other.steps[i] ? steps[i] : other.steps[i];
    }
  };
  struct Step {
    int process;
    Intent intent;
    int choice;
    int block;           // the first step of its thread since another's
    std::uint32_t able;  // who could have gone instead, were it not for bounds
    Known known;
  };
  struct AtAddress {
    std::uintptr_t address = 0;
    std::uint64_t execution = 0;
    Known writes;
    Known sc_loads;
    Known all;
  };

  AtAddress& at(std::uintptr_t address);
  Known known_before(int process, const Intent& intent, int issued) const;
  std::uint32_t beginners(std::size_t first, int process, const Known& known) const;
  void want_all(int step, Choices& choices);
  void want(int step, std::uint32_t processes, Choices& choices);

  std::uint64_t execution_ = 0;
  std::vector<Step> steps_;
  std::array<Known, kProcesses> known_;
  std::array<std::size_t, kProcesses> seen_{};  // how many steps the process's intent was compared with
  Known everything_;                            // after the last step that depends on all
  Known all_;
  Known sc_fences_;
  Known sc_accesses_;
  std::vector<AtAddress> addresses_ = std::vector<AtAddress>(256);
  std::size_t occupied_ = 0;
  int last_thread_ = -1;
  int block_ = 0;
};

}  // namespace scree::model
